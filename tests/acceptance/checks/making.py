"""What situations are made of: programs that are ended by pid, and network namespaces that are removed."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SERVE = Path(__file__).with_name("serve.py")
_numbers = itertools.count()
_given: set[int] = set()


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def end(pid: int) -> None:
    """End a process group, stopped ones too."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


@contextlib.contextmanager
def running(
    *command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a session of its own, whose process group is killed at the end."""
    with subprocess.Popen(
        [str(word) for word in command], cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as one:  # fmt: skip
        try:
            yield one
        finally:
            end(one.pid)


@contextlib.contextmanager
def serving(
    address: str, port: int, manner: str = "http", *words: str, prefix: tuple[str, ...] = (), cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> Iterator[int]:  # fmt: skip
    """`serve.py`, once it has its socket: the pid."""
    with running(*prefix, sys.executable, SERVE, address, str(port), manner, *words, cwd=cwd, env=env) as one:
        wait_until(lambda: one.poll() is None and has_port(one.pid, port, udp="udp" in words), f"a socket on {port}")
        yield one.pid


def has_port(pid: int, port: int, *, udp: bool = False) -> bool:
    """Whether a process itself holds a listening socket with a port, by /proc/PID/net and /proc/PID/fd."""
    try:
        held = {os.readlink(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")}
        tables = [Path(f"/proc/{pid}/net/{name}").read_text() for name in (("udp", "udp6") if udp else ("tcp", "tcp6"))]
    except OSError:  # not yet there, or ended
        return False
    rows = [line.split() for text in tables for line in text.splitlines()[1:]]
    return any(
        row[1].endswith(f":{port:04X}") and (udp or row[3] == "0A") and f"socket:[{row[9]}]" in held for row in rows
    )


class Namespace:
    """A network namespace with loopback, called `name`."""

    def __init__(self) -> None:
        self.name = f"hp-check-{os.getpid()}-{next(_numbers)}"

    @property
    def prefix(self) -> tuple[str, ...]:
        """The start of a command that runs inside."""
        return ("ip", "netns", "exec", self.name)

    def run(self, *words: str, given: str | None = None) -> str:
        """The output of a command inside, which must not fail."""
        done = subprocess.run(
            [*self.prefix, *words], input=given, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout


@contextlib.contextmanager
def namespace() -> Iterator[Namespace]:
    """A new one, with loopback up."""
    one = Namespace()
    subprocess.run(["ip", "netns", "add", one.name], check=True)
    try:
        one.run("ip", "link", "set", "lo", "up")
        yield one
    finally:
        subprocess.run(["ip", "netns", "delete", one.name], check=True)


BOTH = "127.0.0.1 localhost\n::1 localhost\n"
"""A hosts file in which localhost has both families, as distributions write it; ::1 is then tried first (RFC 6724)."""


def with_hosts(folder: Path, text: str) -> tuple[str, ...]:
    """The start of a command that sees this text as /etc/hosts."""
    hosts = folder / "hosts"
    hosts.write_text(text)
    script = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh")


def follow(remedy: str, *, prefix: tuple[str, ...] = ()) -> None:
    """Carry out a command as it was printed."""
    done = subprocess.run([*prefix, "sh", "-c", remedy], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, (remedy, done.stderr)


def commands(diagnosis: dict[str, object], start: str) -> list[str]:
    """The remedies of a diagnosis that are commands and start so."""
    remedies = diagnosis["remedies"]
    assert isinstance(remedies, list)
    return [one["text"] for one in remedies if one["kind"] == "command" and one["text"].startswith(start)]


def address_of(diagnosis: dict[str, object]) -> str:
    """Where the first remedy `homeport check ADDRESS` says to look instead."""
    first = commands(diagnosis, "homeport check ")[0]
    return first.split()[2]


def free_ports(count: int) -> list[int]:
    """Ports outside of the kernel's ephemeral range that nothing has, on any address; never the same twice."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[1])
    found: list[int] = []
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])  # files that run at once have ports of their own
    for port in range(low + 1 + worker * 900 + (os.getpid() * 7) % 400, 65536):
        if port in _given:
            continue
        with socket.socket(socket.AF_INET6) as one, contextlib.suppress(OSError):
            one.bind(("::", port))
            found.append(port)
            _given.add(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


def tool(name: str) -> str:
    """The path of a program that must be there."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found is not None, f"{name} is not installed"
    return found
