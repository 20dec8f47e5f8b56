"""How real processes are doing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homeport.model.case import Condition
from homeport.model.owners import Process
from homeport.system import conditions, procfs

PORT = 47_113
"""A number that no other process of the machine is told."""


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextlib.contextmanager
def running(*words: str, **settings: object) -> Iterator[Process]:
    """A program that has said a line, and waits."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, **settings) as one:  # type: ignore[call-overload]
        try:
            assert one.stdout.readline()
            found = procfs.read_process(one.pid)
            assert found is not None
            yield found
        finally:
            one.kill()


WAIT = "print(1, flush=True); import sys; sys.stdin.read()"


@pytest.fixture
def program() -> Iterator[Process]:
    with running(sys.executable, "-c", WAIT) as one:
        yield one


def seen(one: Process) -> Condition:
    found = conditions.condition(one)
    assert found is not None
    return found


def test_one_that_is_well(program: Process) -> None:
    found = seen(program)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert found.state in ("S", "R")
    assert (found.tracer, found.frozen) == (None, None)
    assert found.descriptors == len(os.listdir(f"/proc/{program.pid}/fd"))
    assert (found.limit, found.hard_limit) == (soft, hard)
    assert found.age is not None and 0 <= found.age < 600


def test_one_that_is_stopped(program: Process) -> None:
    os.kill(program.pid, signal.SIGSTOP)
    until(lambda: seen(program).state == "T")
    os.kill(program.pid, signal.SIGCONT)
    until(lambda: seen(program).state != "T")


def test_one_that_is_traced(program: Process) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    attach, detach, let_go = 16, 17, threading.Event()
    errors: list[int] = []

    def trace() -> None:  # a tracer is a thread, and must be the one that detaches (ptrace(2))
        errors.append(libc.ptrace(attach, program.pid, None, None))
        let_go.wait(30)
        libc.ptrace(detach, program.pid, None, None)

    thread = threading.Thread(target=trace)
    thread.start()
    try:
        until(lambda: seen(program).state in ("t", "T") and seen(program).tracer is not None)
        assert errors == [0]
    finally:
        let_go.set()
        thread.join()
    until(lambda: seen(program).tracer is None)


def test_one_that_has_ended() -> None:
    with running(sys.executable, "-c", WAIT) as one:
        pass
    assert conditions.condition(one) is None


def test_a_pid_that_another_process_has_now(program: Process) -> None:
    before = program._replace(start_ticks=(program.start_ticks or 0) - 1)
    assert conditions.condition(before) is None


UNIFIED = next(one for one in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(f"{one}/cgroup.procs"))
FREEZERS = [(UNIFIED, "cgroup.freeze", "1", "0")]
if os.path.isdir("/sys/fs/cgroup/freezer"):
    FREEZERS.append(("/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED"))


@pytest.mark.parametrize(("root", "switch", "freeze", "thaw"), FREEZERS, ids=[one[1] for one in FREEZERS])
def test_one_whose_group_is_frozen(root: str, switch: str, freeze: str, thaw: str, program: Process) -> None:
    parent = Path(root) / f"hp-conditions-{os.getpid()}"
    child = parent / "child"
    child.mkdir(parents=True)
    try:
        (child / "cgroup.procs").write_text(str(program.pid))
        assert seen(program).frozen is None
        for group in (child, parent):  # the group itself, and the one above it
            (group / switch).write_text(freeze)
            until(lambda group=group: seen(program).frozen == f"{group}/{switch}")  # type: ignore[misc]
            (group / switch).write_text(thaw)
            until(lambda: seen(program).frozen is None)
    finally:
        for group in (child, parent):
            (group / switch).write_text(thaw)
        os.kill(program.pid, signal.SIGKILL)
        until(lambda: not (child / "cgroup.procs").read_text())
        child.rmdir()
        parent.rmdir()


# who was told a port


def told() -> set[int]:
    return {one.process.pid for one in conditions.claims(PORT)}


def test_by_an_argument() -> None:
    with running(sys.executable, "-c", WAIT, "--port", str(PORT)) as one:
        assert one.pid in told()
    assert one.pid not in told()


def test_by_a_variable() -> None:
    with running(sys.executable, "-c", WAIT, env={**os.environ, "PORT": str(PORT)}) as one:
        (found,) = [each for each in conditions.claims(PORT) if each.process.pid == one.pid]
    assert f"PORT={PORT}" in found.evidence.text
    assert found.age is not None


def test_not_the_caller_and_its_parents() -> None:
    asks = f"from homeport.system import conditions; print([one.process.pid for one in conditions.claims({PORT})])"
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    done = subprocess.run(
        [sys.executable, "-c", parent, asks, "--port", str(PORT)], env={**os.environ, "PORT": str(PORT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_not_a_zombie() -> None:
    with subprocess.Popen([sys.executable, "-c", "", "--port", str(PORT)]) as one:
        until(lambda: "State:\tZ" in Path(f"/proc/{one.pid}/status").read_text())
        assert one.pid not in told()


def test_supervised(tmp_path: Path) -> None:
    script = tmp_path / "supervisord"
    script.write_text(f"#!{sys.executable}\n{WAIT}\n")
    script.chmod(0o755)
    with running(str(script)):
        assert conditions.supervised()


def test_unix_sockets_by_the_number_in_their_name(tmp_path: Path) -> None:
    with contextlib.ExitStack() as open_ones:
        for name in (".s.PGSQL.5432", "web-5432.sock", ".s.PGSQL.54321", "15432", "5432/other"):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            one = open_ones.enter_context(socket.socket(socket.AF_UNIX))
            one.bind(str(path))
            one.listen()
        bound = open_ones.enter_context(socket.socket(socket.AF_UNIX))
        bound.bind(str(tmp_path / "bound.5432"))
        found = {path for path in conditions.unix_sockets(5432) if path.startswith(str(tmp_path))}
    assert found == {str(tmp_path / ".s.PGSQL.5432"), str(tmp_path / "web-5432.sock")}
