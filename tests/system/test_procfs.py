from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from homeport.system import parallel, procfs


def test_the_facts_of_this_process() -> None:
    process = procfs.read_process(os.getpid())
    assert process is not None
    assert process.exe == str(Path(sys.executable).resolve())
    assert (process.cwd, process.uid, process.ppid) == (str(Path.cwd()), os.geteuid(), os.getppid())
    assert process.cmdline is not None
    assert process.start_time is not None
    assert abs(process.start_time.timestamp() - psutil.Process().create_time()) < 1
    assert process.start_ticks == procfs.start_ticks(os.getpid())


def test_nobody() -> None:
    assert procfs.read_process(2**22 + 1) is None
    assert procfs.start_ticks(2**22 + 1) is None
    assert procfs.read_text("/proc/no-such-file") is None
    assert procfs.read_link("/proc/no-such-link") is None


def test_odd_names_and_arguments(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (\nb"
    program.write_text("#!/bin/sh\nread x\n")
    program.chmod(0o755)
    arguments = [os.fsencode(program), b"\xff\xfe", b"", b"x y"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE) as child:
        deadline = time.monotonic() + 10
        while (
            (process := procfs.read_process(child.pid)) is None
            or not process.name.startswith("a)")
            or not process.cmdline
        ):
            assert time.monotonic() < deadline
        child.kill()
    assert process.name == "a) R 1 (\nb"
    assert process.cmdline is not None
    assert process.cmdline[-3:] == ("\udcff\udcfe", "", "x y")
    assert process.ppid == os.getpid()


def test_a_deleted_executable(tmp_path: Path) -> None:
    copy = tmp_path / "sleep"
    copy.write_bytes(Path("/bin/sleep").read_bytes())
    copy.chmod(0o755)
    with subprocess.Popen([copy, "60"]) as child:
        deadline = time.monotonic() + 10
        while (process := procfs.read_process(child.pid)) is None or process.name != "sleep":
            assert time.monotonic() < deadline
        assert not process.exe_deleted
        copy.unlink()
        process = procfs.read_process(child.pid)
        child.kill()
    assert process is not None
    assert (process.exe, process.exe_deleted) == (str(copy), True)


def test_a_zombie_is_still_a_process() -> None:
    child = subprocess.Popen(["true"])
    try:
        deadline = time.monotonic() + 10
        while (process := procfs.read_process(child.pid)) is None or process.state != "Z":
            assert time.monotonic() < deadline
        assert (process.exe, process.cwd) == (None, None)
    finally:
        child.wait()


def test_a_walk_finds_every_descriptor() -> None:
    with socket.socket() as one:
        inode = os.fstat(one.fileno()).st_ino
        twin = os.dup(one.fileno())
        try:
            found = procfs.walk([os.getpid(), 2**22 + 1], frozenset((inode,)))
        finally:
            os.close(twin)
        assert {holder.descriptor for holder in found.holders[inode]} == {one.fileno(), twin}
        assert found.processes[os.getpid()].cmdline
        assert found.closed == 0


def test_a_walk_in_halves_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as one:
        wanted = frozenset((os.fstat(one.fileno()).st_ino,))
        pids = [2**22 + 1, 2**22 + 2, os.getpid()]
        whole = procfs.walk(pids, wanted)
        monkeypatch.setattr(parallel, "FEW", 0)
        halves = procfs.walk(pids, wanted)
        assert whole.holders.keys() == halves.holders.keys() == wanted
        alone, parted = whole.processes[os.getpid()], halves.processes[os.getpid()]
        assert alone._replace(state=None) == parted._replace(state=None)


def test_halves() -> None:
    items = list(range(1001))
    parts = parallel.halves(lambda some: [each * 2 for each in some], items)
    assert len(parts) == 2
    assert [each for part in parts for each in part] == [each * 2 for each in items]
    assert parallel.halves(len, [1, 2]) == [2]


def test_a_child_that_dies_is_replaced() -> None:
    parent = os.getpid()

    def work(some: object) -> int:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return len(list(some))  # type: ignore[call-overload]

    assert parallel.halves(work, list(range(1001))) == [500, 501]


def test_processes_that_come_and_go_during_a_look() -> None:
    stop = time.monotonic() + 1
    looked = 0
    while time.monotonic() < stop and looked < 50:
        children = [subprocess.Popen(["true"]) for _ in range(10)]
        for pid in procfs.all_pids():
            procfs.read_process(pid)
        procfs.walk(procfs.all_pids(), frozenset((1,)))
        for child in children:
            child.wait()
        looked += 1
    assert looked


def test_users_without_a_name() -> None:
    assert procfs.user_name(0) == "root"
    assert procfs.user_name(4_123_456_789) is None
