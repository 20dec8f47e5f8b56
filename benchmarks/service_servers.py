"""Starts the servers of the benchmark on free ports of 127.0.0.1, and ends exactly these."""

from __future__ import annotations

import os
import pwd
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.request import urlopen

from benchmarks.service_cases import Case

_PATIENCE = 60.0
_PORTS = range(20011, 32000)
"""Below the kernel's ephemeral ports."""
_SIGN = "HOMEPORT_BENCHMARK"
"""A variable of the environment by which each process of this run is known, wherever it went."""


class Folders(NamedTuple):
    """Where programs from PyPI (`bin` of a virtual environment) and npm (`node_modules`) are."""

    pip: str
    npm: str


class Running(NamedTuple):
    """A server that listens."""

    case: Case
    port: int

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Protocol and port of each of its sockets that counts."""
        return tuple((protocol, self.port) for protocol in self.case.protocols)


class Servers:
    """The servers; a context."""

    def __init__(self, folder: str, folders: Folders) -> None:
        self.running: list[Running] = []
        self.left_out: list[tuple[Case, str]] = []
        self._folder = folder
        self._folders = folders
        self._sign = secrets.token_hex(8)
        self._started: list[tuple[Case, int, subprocess.Popen[bytes], str]] = []
        self._ports = _free_ports()

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, cases: Sequence[Case]) -> None:
        """Start them all, then wait until each listens; those that do not are left out, with the reason."""
        for case in cases:
            try:
                self._start(case)
            except (OSError, subprocess.SubprocessError, KeyError) as error:
                self.left_out.append((case, str(error)[:200]))
        for case, port, process, log in self._started:
            if self._listens(case, port, process):
                self.running.append(Running(case, port))
                if case.warm:
                    _fetch(port)
            else:
                self.left_out.append((case, _end_of(log)))

    def end(self) -> None:
        """End every process of this run: those that were started, and what became of them."""
        for one in (signal.SIGTERM, signal.SIGKILL):
            until = time.monotonic() + 15
            for pid in self._ours():
                _signal(pid, one)
            while self._ours() and time.monotonic() < until:
                for _, _, process, _ in self._started:
                    process.poll()
                time.sleep(0.1)
        for _, _, process, _ in self._started:
            process.wait()

    def _start(self, case: Case) -> None:
        port, spare, epmd = (next(self._ports) for _ in range(3))
        folder = os.path.join(self._folder, f"{case.name.replace(' ', '-')}-{port}")
        os.makedirs(folder, mode=0o755)
        values = {"port": str(port - case.base), "spare": str(spare), "epmd": str(epmd), "dir": folder}
        values |= self._folders._asdict()
        for name, text in case.files:
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(_filled(text, values))
        account: list[str] = []
        if case.user is not None:
            found = pwd.getpwnam(case.user)
            for place, _, names in os.walk(folder):
                for path in (place, *(os.path.join(place, name) for name in names)):
                    os.chown(path, found.pw_uid, found.pw_gid)
            account = ["setpriv", f"--reuid={found.pw_uid}", f"--regid={found.pw_gid}", "--init-groups"]
        environment = {
            **os.environ,
            _SIGN: self._sign,
            **{key: _filled(text, values) for key, text in case.environment},
        }
        for words in case.before:
            command = [*account, *_words(words, values)]
            subprocess.run(command, check=True, capture_output=True, timeout=120, env=environment, cwd=folder)
        log = os.path.join(self._folder, f"{case.name}.log")
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [*account, *_words(case.command, values)], env=environment, cwd=folder, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._started.append((case, port, process, log))

    def _listens(self, case: Case, port: int, process: subprocess.Popen[bytes]) -> bool:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if all(_bound(protocol, port) for protocol in case.protocols):
                return True
            if process.poll() is not None:
                return False
            time.sleep(0.1)
        return False

    def _ours(self) -> list[int]:
        wanted = f"{_SIGN}={self._sign}".encode()
        found = []
        for name in os.listdir("/proc"):
            if name.isdecimal():
                try:
                    with open(f"/proc/{name}/environ", "rb") as file:
                        if wanted in file.read(1 << 18).split(b"\0"):
                            found.append(int(name))
                except OSError:  # it ended
                    continue
        roots = {process.pid for _, _, process, _ in self._started if process.poll() is None}
        return sorted({*found, *roots})


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:  # it ended
        return


def _words(text: str, values: dict[str, str]) -> list[str]:
    return [_filled(word, values) for word in shlex.split(text)]


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _free_ports() -> Iterator[int]:
    for port in _PORTS:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:  # somebody has it
                continue
        yield port


def _bound(protocol: str, port: int) -> bool:
    """Whether a socket listens there (TCP, state 0A) or is bound (UDP), by the kernel's tables."""
    for family in ("", "6"):
        with open(f"/proc/net/{protocol}{family}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if int(words[1].rpartition(":")[2], 16) == port and (protocol == "udp" or words[3] == "0A"):
                    return True
    return False


def _fetch(port: int) -> None:
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=_PATIENCE) as answer:
            answer.read(1)
    except OSError:  # an error page does as well, and so does silence: both tools meet it alike
        return


def _end_of(log: str) -> str:
    with open(log, "rb") as file:
        lines = file.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else "it ended without a word"


def programs_missing(case: Case, folders: Folders) -> bool:
    """Whether a server is not installed."""
    program = _filled(shlex.split(case.command)[0], folders._asdict())
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None
