"""The facts about real processes that their logs are found by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homeport.logs.places import candidates
from homeport.logs.places.kind import Facts, Shape
from homeport.model.logs import LogKind
from homeport.model.owners import Unit
from homeport.system import log_places, log_remains, procfs

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """`run("code")`: the pid of a Python process that has said that it is ready."""
    running: list[subprocess.Popen[bytes]] = []

    def start(code: str, *redirections: str) -> int:
        ready = tmp_path / f"ready-{len(running)}"
        text = f"{code}\nopen({str(ready)!r}, 'w').close()\nimport time\ntime.sleep(1000)\n"
        script = f'exec "$0" -c "$1" {" ".join(redirections)}'
        one = subprocess.Popen(["sh", "-c", script, sys.executable, text], cwd=tmp_path, stdin=subprocess.DEVNULL)
        running.append(one)
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert one.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        return one.pid

    yield start
    for one in running:
        one.kill()
        one.wait()


def gathered(pid: int, unit: Unit | None = None) -> Facts:
    process = procfs.read_process(pid)
    assert process is not None
    return log_places.gather((process,), unit, None)


def readable(facts: Facts) -> list[str | None]:
    return [one.what for one in candidates(facts) if one.reading is not None and one.kind is not LogKind.CRASH]


def test_open_files_by_name_content_and_flags(run: Run, tmp_path: Path) -> None:
    code = """
files = [open('server.log', 'a'), open('shop.db', 'wb'), open('notes', 'a'), open('wal.log', 'wb'), open('table', 'w')]
files[2].write('hello\\n'); files[3].write(b'\\0\\1\\2' * 500); files[4].write('rows\\n')
[one.flush() for one in files]
reader = open('server.log')
"""
    facts = gathered(run(code, ">out.txt", "2>&1"))
    assert readable(facts) == [f"{tmp_path}/{name}" for name in ("server.log", "notes", "out.txt")]
    (member,) = facts.members
    flags = {os.path.basename(one.target): (one.writable, one.append) for one in member.descriptors or ()}
    assert flags["server.log"] == (False, False)  # the last of two: the one to read
    assert flags["notes"] == (True, True)
    assert flags["table"] == (True, False)


def test_children_are_looked_at_but_no_sessions_of_their_own(run: Run, tmp_path: Path) -> None:
    code = """
import os, subprocess, sys
one = "import time; f = open('worker.log', 'a'); f.write('x'); f.flush(); open('w', 'w').close(); time.sleep(1000)"
subprocess.Popen([sys.executable, '-c', one])
subprocess.Popen(['sh', '-c', 'exec sleep 1000 3>>daemon.log'], start_new_session=True)
while not (os.path.exists('w') and os.path.exists('daemon.log')):
    pass
"""
    pid = run(code, ">out.txt", "2>&1")
    try:
        found = readable(gathered(pid))
        assert f"{tmp_path}/worker.log" in found
        assert f"{tmp_path}/daemon.log" not in found
    finally:
        children = [one for one in map(procfs.read_process, procfs.all_pids()) if one is not None and one.ppid == pid]
        for child in children:
            os.kill(child.pid, signal.SIGKILL)


def test_a_deleted_file(run: Run, tmp_path: Path) -> None:
    facts = gathered(run("import os; f = open('gone.log', 'a'); os.unlink('gone.log')", ">/dev/null", "2>&1"))
    (member,) = facts.members
    shapes = {one.number: one.shape for one in member.descriptors or ()}
    assert shapes[1] is shapes[2] is Shape.CHARACTER
    deleted = [one for one in candidates(facts) if one.kind is LogKind.DELETED_FILE]
    assert [one.what for one in deleted] == [f"{tmp_path}/gone.log"]


def test_the_reader_of_a_pipe_is_found(tmp_path: Path) -> None:
    script = "sleep 1000 | tee copy.txt >/dev/null"
    with subprocess.Popen(
        ["sh", "-c", script], cwd=tmp_path, start_new_session=True, stdin=subprocess.DEVNULL
    ) as shell:
        try:
            deadline = time.monotonic() + 30
            while True:
                some = [one for one in map(procfs.read_process, procfs.all_pids()) if one and one.ppid == shell.pid]
                sleeper = next((one for one in some if one.name == "sleep"), None)
                if sleeper is not None and any(one.name == "tee" for one in some):
                    facts = gathered(sleeper.pid)
                    if any(readers for readers in facts.pipes.values()) and (tmp_path / "copy.txt").exists():
                        break
                assert time.monotonic() < deadline
            (readers,) = facts.pipes.values()
            assert [one.program for one in readers] == ["tee"]
            assert f"{tmp_path}/copy.txt" in readable(facts)
        finally:
            os.killpg(shell.pid, signal.SIGKILL)


def test_a_process_that_has_ended(run: Run) -> None:
    with subprocess.Popen(["sleep", "1000"]) as child:
        process = procfs.read_process(child.pid)
        child.kill()
        child.wait()
    assert process is not None
    facts = log_places.gather((process,), None, None)
    assert facts.members[0].descriptors is None
    assert candidates(facts) == ()


def test_a_core_file_of_the_program_alone(tmp_path: Path) -> None:
    """A real core, by the kernel, where core_pattern puts it into the working folder."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    script = "ulimit -c unlimited; exec \"$0\" -c 'import os; os.abort()'"
    with subprocess.Popen(["sh", "-c", script, sys.executable], cwd=tmp_path, stderr=subprocess.DEVNULL) as crashing:
        assert crashing.wait(60) == -signal.SIGABRT
    (tmp_path / "core.txt").write_text("no core")
    process = procfs.read_process(os.getpid())
    assert process is not None
    member = log_places.member(process._replace(cwd=str(tmp_path)), "owner")
    found = [each for each in log_remains.cores([member]) if each.path.startswith(str(tmp_path))]
    if pattern.startswith(("|", "/")):  # this machine hands them to a program, or puts them elsewhere
        assert found == []
        return
    (one,) = found
    assert one.pid == crashing.pid
    assert one.name == os.path.basename(os.path.realpath(sys.executable))[:15] or one.name is not None
    assert one.signal == signal.SIGABRT


def test_what_coredumpctl_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(time.time() * 1e6)
    row = f'[{{"time":{now},"pid":70,"uid":0,"gid":0,"sig":11,"corefile":"present","exe":"/usr/bin/server","size":1}}]'
    path = tmp_path / "coredumpctl"
    path.write_text(f"#!/bin/sh\necho '{row}'\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (one,) = log_remains.cores([])
    assert (one.path, one.pid, one.name, one.signal) == ("coredumpctl info 70", 70, "server", 11)
    path.write_text("#!/bin/sh\necho nonsense\n")
    assert list(log_remains.cores([])) == []


def test_the_kernel_tells_of_a_process_that_crashed() -> None:
    """The kernel logs where a program of it crashed by a bad address; root may read that."""
    name = f"hp{os.getpid() % 100_000}"
    code = f"open('/proc/self/comm', 'w').write({name!r}); import ctypes; ctypes.string_at(8)"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, cwd="/tmp") as crashing:
        assert crashing.wait(60) == -signal.SIGSEGV
    told = [text for _, text in log_remains.kernel_lines() if name in text]
    printed = Path("/proc/sys/debug/exception-trace")
    if printed.exists() and printed.read_text().strip() != "0":
        assert told and f"{name}[{crashing.pid}]" in told[-1]
