"""A thousand listeners that mean harm are asked what they speak: in time, in bounded memory, nothing left over."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.weather.conftest import COMMAND, HERE, answer, run

LISTENERS = 1000
MOST_MEMORY = 150 << 10  # KiB
SLACK = 60.0
"""Seconds by which a busy machine may be late; a server that is never left would take for ever."""

HOSTILE = f"""
import asyncio, itertools, resource, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

async def silent(reader, writer): await reader.read()
async def drip(reader, writer):
    while not writer.is_closing():
        writer.write(b"H"); await asyncio.sleep(0.1)
async def flood(reader, writer, head=b"", data=b"x" * 65536):
    writer.write(head)
    while not writer.is_closing():
        writer.write(data); await writer.drain()
async def headers(reader, writer): await flood(reader, writer, b"HTTP/1.1 200 OK\\r\\n", b"X-More: a\\r\\n" * 999)
async def after(reader, writer): await reader.read(1); await flood(reader, writer, b"HTTP/1.1 200 OK\\r\\n\\r\\n")
async def tls(reader, writer): await reader.read(1); await flood(reader, writer, b"\\x16\\x03\\x03\\x40\\x00")
async def closes(reader, writer): pass
async def serve(behave, reader, writer):
    try: await behave(reader, writer)
    except (OSError, asyncio.IncompleteReadError): pass
    finally: writer.close()
async def main():
    kinds = itertools.cycle((silent, drip, flood, headers, after, tls, closes))
    for behave, _ in zip(kinds, range({LISTENERS})):
        await asyncio.start_server(lambda r, w, b=behave: serve(b, r, w), "{HERE}", 0)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def crowd() -> Iterator[int]:
    """The pid of a process with a listener of every kind of harm, again and again."""
    command = [sys.executable, "-c", HOSTILE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield server.pid
        server.kill()


def test_a_thousand_hostile_listeners(crowd: int, tmp_path: Path) -> None:
    started = time.monotonic()
    script = f"""
import pathlib, sys, threading
sys.argv = ["homeport", "ls", "--services", "--json", "--pid", "{crowd}"]
from homeport.__main__ import main
try:
    main()
except SystemExit:
    pass
# not ru_maxrss, which begins with that of the process that started this one
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
sys.stderr.write(f"{{status['VmHWM'].split()[0]}} {{threading.active_count()}}")
"""
    done = subprocess.run(
        [COMMAND[0], "-c", script], capture_output=True, text=True, check=False, timeout=300,
        env={"PATH": "/usr/bin:/bin:/usr/sbin", "XDG_STATE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert time.monotonic() - started < 10 + SLACK
    document = json.loads(done.stdout)
    assert len(document["listeners"]) == LISTENERS
    memory, threads = done.stderr.split()[-2:]
    assert int(memory) < MOST_MEMORY
    assert int(threads) == 1
    products = {one["service"]["product"] for one in document["listeners"] if one["service"]}
    assert products <= {None}


RECORDING = """
import os, socket, sys
one = socket.create_server((sys.argv[1], int(sys.argv[2])))
if sys.argv[3] == "other":
    os.setgid(65533); os.setuid(65533)
    one = socket.create_server((sys.argv[1], 0))
arguments = [word.replace("PORT", str(one.getsockname()[1])) for word in sys.argv[4:]]
os.set_inheritable(one.fileno(), True)
code = f'''
import socket
one = socket.socket(fileno={one.fileno()})
print(one.getsockname()[1], flush=True)
while True:
    client, _ = one.accept()
    print("connected", flush=True)
    client.settimeout(1)
    try:
        print(client.recv(4096)[:8], flush=True)
        client.sendall(b"-ERR unknown command\\\\r\\\\n")
    except OSError:
        pass
    client.close()
'''
os.execv(sys.executable, [arguments[0], "-c", code, *arguments[1:]])
"""
"""A server of root, or of another user, that writes down who comes; its name and arguments are anybody's."""

ORDINARY_PYTHON = "/usr/bin/python3"


class Recording:
    """A server of somebody else that runs, with what it wrote down."""

    def __init__(self, folder: Path, within: list[str], user: str, *arguments: str) -> None:
        self.said = folder / f"{arguments[0]}-{len(arguments)}-{user}.txt"
        with self.said.open("wb") as to:
            command = [*within, ORDINARY_PYTHON, "-c", RECORDING, HERE, "0", user, *arguments]
            self.process = subprocess.Popen(command, stdout=to, stderr=to, stdin=subprocess.DEVNULL)

    @property
    def port(self) -> int:
        """Its port, as soon as it listens."""
        until = time.monotonic() + SLACK
        while not (lines := self.said.read_text().splitlines()):
            assert self.process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        return int(lines[0])

    @property
    def heard(self) -> list[str]:
        """What came, after the port."""
        return self.said.read_text().splitlines()[1:]


@pytest.fixture
def within() -> Iterator[list[str]]:
    """The start of a command in a network namespace where nobody else asks."""
    name = f"hp-weather-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture
def recording(tmp_path: Path, within: list[str]) -> Iterator[Callable[..., Recording]]:
    some: list[Recording] = []

    def start(user: str, *arguments: str) -> Recording:
        some.append(Recording(tmp_path, within, user, *arguments))
        return some[-1]

    yield start
    for one in some:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize(
    ("arguments", "protocol", "note"),
    [
        (("gdbserver", "127.0.0.1:PORT", "./shop"), "gdb-remote", None),
        (("python3", "-m", "debugpy", "--listen", "PORT", "shop.py"), "dap", None),
        (("java", "-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=*:PORT"), "jdwp", None),
        (("ssh", "-N", "-L", "PORT:shop.example.org:80", "gate"), None, "leave this machine: ssh carries it"),
        (("nc", "-l", "PORT"), None, "nc would end with its first connection"),
    ],
)
def test_what_another_user_runs_is_left_alone_where_its_command_line_says_so(
    nobody: list[str],
    within: list[str],
    recording: Callable[..., Recording],
    arguments: tuple[str, ...],
    protocol: str | None,
    note: str | None,
) -> None:
    server = recording("root", *arguments)
    document = answer(run([*within, *nobody, "ls", "--services", "--json", str(server.port)]))
    inside = os.stat(f"/run/netns/{within[-1]}").st_ino
    (one,) = (each for each in document["listeners"] if (each["protocol"], each["netns"]) == ("tcp", inside))
    assert one["owners"] == []
    assert (one["service"] and one["service"]["protocol"]) == protocol
    assert bool(note) == any(note in limit for limit in document["limits"] if note)
    assert server.heard == [], server.heard


def test_a_tunnel_without_a_port_in_its_words_makes_its_users_listeners_unasked(
    nobody: list[str], within: list[str], recording: Callable[..., Recording]
) -> None:
    named, silent = recording("other", "redis-server", "*:PORT"), recording("other", "ssh", "-N", "gate")
    ports = str(named.port), str(silent.port)
    with contextlib.ExitStack() as stack:
        try:  # the same port in a namespace that may not be read
            stack.enter_context(socket.create_server((HERE, silent.port)))
        except OSError as error:  # one of the thousand there has it: that one does as well
            assert error.errno == errno.EADDRINUSE
        document = answer(run([*within, *nobody, "ls", "--services", "--json", *ports]))
    assert [
        limit for limit in document["limits"] if f"tcp port {silent.port} was not asked" in limit and "(ssh)" in limit
    ]
    assert silent.heard == [], silent.heard
    assert "connected" in named.heard


def test_what_another_users_command_line_suggests_is_asked_first(
    nobody: list[str], within: list[str], recording: Callable[..., Recording]
) -> None:
    server = recording("root", "redis-server", "*:PORT")
    answer(run([*within, *nobody, "ls", "--services", "--json", str(server.port)]))
    assert server.heard[:2] == ["connected", "b'PING\\r\\n'"]
