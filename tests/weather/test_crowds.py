"""Many sockets, and sockets and processes that come and go while homeport looks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.weather.conftest import COMMAND, HERE

from homeport.model.addresses import Protocol
from homeport.model.owners import Reason
from homeport.model.snapshot import Query
from homeport.operations.ls import look

SOURCES = ("bpf", "netlink", "psutil")
MANY = 5000
BUDGET = 200 << 10
"""KiB of resident memory at 100,000 sockets; a twentieth of the sockets may take no more."""

CROWD = """
import resource, socket, sys
count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 50, max(count + 50, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
made = []
for number in range(count):
    one = socket.socket()
    one.bind((f"{sys.argv[2]}.{number // 250 // 250}.{number // 250 % 250 + 1}", 20001 + number % 250))
    one.listen(1)
    made.append(one)
print(flush=True)
sys.stdin.read()
"""

CHURN = """
import os, socket, sys, threading
def spin():
    while True:
        with socket.socket() as one:
            one.bind(("127.85.1.1", 0))
            one.listen()
            if os.fork() == 0:
                os._exit(0)
            os.wait()
print(flush=True)
threading.Thread(target=spin, daemon=True).start()
sys.stdin.read()
"""


@contextmanager
def helper(code: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that says when it is ready, and goes on until the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"\n"
            yield process
        finally:
            process.kill()


METER = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss, file=sys.stderr)
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


def measured(*words: str) -> tuple[bytes, int]:
    """The output of a run and its peak of resident memory in KiB (wait4(2)).

    A child's peak begins with that of whoever starts it, so that somebody smaller than a run of tests must do it.
    """
    command = [sys.executable, "-I", "-S", "-c", METER, *COMMAND, *words]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout, int(done.stderr.splitlines()[-1])


@pytest.fixture(scope="module")
def crowd() -> Iterator[int]:
    with helper(CROWD, str(MANY), "127.84") as process:
        yield process.pid


@pytest.mark.parametrize("source", SOURCES)
def test_thousands_of_sockets_are_all_listed_in_little_memory(source: str, crowd: int) -> None:
    output, memory = measured("ls", "--tcp", "--csv", "--source", source, "--pid", str(crowd))
    rows = {line.split(b",")[1:3][0] + b":" + line.split(b",")[2] for line in output.splitlines()[1:]}
    assert len(rows) == MANY
    assert memory < BUDGET


@pytest.mark.parametrize("words", [["--json"], ["--wide"], ["--all"], ["--csv"]])
def test_every_form_of_the_answer_takes_little_memory(words: list[str], crowd: int) -> None:
    output, memory = measured("ls", "--tcp", *words)
    assert output.count(b"127.84.") >= MANY
    assert memory < BUDGET


def test_one_port_of_thousands(crowd: int) -> None:
    output, _ = measured("ls", "127.84.0.1:20007", "--json")
    (one,) = json.loads(output)["listeners"]
    assert [owner["pid"] for owner in one["owners"]] == [crowd]


@pytest.mark.parametrize("source", SOURCES)
def test_what_vanishes_during_the_look_is_named_or_said_to_have_gone(source: str) -> None:
    query = Query(frozenset((Protocol.TCP,)))
    with helper(CHURN) as first, helper(CHURN) as second, socket.create_server((HERE, 0)) as steady:
        for _ in range(30):
            snapshot = look(query, source)
            here = [one for one in snapshot.listeners if str(one.socket.address) == HERE]
            assert steady.getsockname()[1] in {one.socket.port for one in here}
            for one in snapshot.listeners:
                assert (one.unattributed is None) == bool(one.owners)
                if str(one.socket.address) == "127.85.1.1":
                    assert all(owner.process.pid for owner in one.owners)
                    assert {first.pid, second.pid} & {owner.process.pid for owner in one.owners} or one.unattributed
        for churning in (first, second):
            assert churning.poll() is None


@pytest.mark.parametrize("source", SOURCES)
def test_a_server_that_ends_is_gone_from_the_next_look(source: str) -> None:
    command = [
        sys.executable,
        "-c",
        f"import socket\none = socket.create_server(('{HERE}', 0))\nprint(one.getsockname()[1], flush=True)\ninput()",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        query = Query(frozenset((Protocol.TCP,)), frozenset((port,)))
        assert [one for one in look(query, source).listeners if str(one.socket.address) == HERE]
        server.send_signal(signal.SIGKILL)
        server.wait()
        assert not [one for one in look(query, source).listeners if str(one.socket.address) == HERE]


def test_a_stopped_owner_is_an_owner() -> None:
    """SIGSTOP: the kernel still takes connections for it."""
    with helper(CROWD, "1", "127.86") as process:
        process.send_signal(signal.SIGSTOP)
        for source in SOURCES:
            query = Query(frozenset((Protocol.TCP,)), frozenset((20001,)))
            found = [one for one in look(query, source).listeners if str(one.socket.address) == "127.86.0.1"]
            assert process.pid in {owner.process.pid for one in found for owner in one.owners}


def test_a_zombie_holds_nothing() -> None:
    with socket.create_server((HERE, 0)) as mine:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        try:
            for source in SOURCES:
                query = Query(frozenset((Protocol.TCP,)), frozenset((mine.getsockname()[1],)))
                (one,) = [one for one in look(query, source).listeners if str(one.socket.address) == HERE]
                assert [owner.process.pid for owner in one.owners] == [os.getpid()]
        finally:
            os.waitpid(child, 0)


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_a_socket_on_its_way_between_processes_says_so(source: str) -> None:
    """SCM_RIGHTS: it listens, and no process has a descriptor of it."""
    left, right = socket.socketpair()
    travelling = socket.create_server((HERE, 0))
    port = travelling.getsockname()[1]
    socket.send_fds(left, [b"x"], [travelling.fileno()])
    travelling.close()
    with left, right:
        query = Query(frozenset((Protocol.TCP,)), frozenset((port,)))
        (one,) = [one for one in look(query, source).listeners if str(one.socket.address) == HERE]
        assert one.unattributed is not None
        assert one.unattributed.reason in (Reason.KERNEL, Reason.UNKNOWN)  # unknown: some process may not be read
