"""Files that name a process by its pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.logs.places import candidates
from homeport.system import log_marks, log_places, procfs


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[int]:
    """The pid of a Redis without a configuration file of its own in its folder, beside that of another one."""
    (tmp_path / "other.conf").write_text(f"port 1\nlogfile {tmp_path}/other\n")
    (tmp_path / "other").write_text("1:M 28 Nov 2026 12:00:00.000 * of another one\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    words = ["redis-server", "--port", port, "--unixsocket", f"{tmp_path}/s", "--logfile", "words"]
    with subprocess.Popen(words, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as one:
        deadline = time.monotonic() + 30
        while not (tmp_path / "s").exists():
            assert one.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        yield one.pid
        one.terminate()


def test_the_log_that_redis_opens_for_each_line_is_found_by_its_pid(redis: int, tmp_path: Path) -> None:
    process = procfs.read_process(redis)
    assert process is not None
    found = [one.what for one in candidates(log_places.gather((process,), None, None)) if one.reading is not None]
    assert f"{tmp_path}/words" in found and f"{tmp_path}/other" not in found


def test_lines_of_a_syslog_daemon_that_name_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "1000"]) as one:
        try:
            auth, other = tmp_path / "auth.log", tmp_path / "syslog"
            auth.write_text(
                f"2026-11-28T12:00:00+00:00 here sleep[{one.pid}]: first\n"
                f"Nov 28 12:00:01 here sleep[{one.pid}]: second\n"
                f"Nov 28 12:00:02 here sshd[{one.pid}]: an earlier process with that number\n"
            )
            other.write_text(f"Nov 28 12:00:00 here sleep[{os.getpid()}]: another one\n")
            monkeypatch.setattr(log_marks, "SYSLOGS", (str(other), str(auth), str(tmp_path / "none"), str(tmp_path)))
            process = procfs.read_process(one.pid)
            assert process is not None
            (found,) = log_marks.marked([log_places.member(process, "owner")])
            assert (found.path, found.tag) == (str(auth), "sleep") and "second" in found.line
        finally:
            one.send_signal(signal.SIGKILL)
