"""A container engine that accepts and never answers: bounded, and said. The container is a control group of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.weather.conftest import COMMAND, SERVER, answer, row, run

ID = f"{os.getpid():064x}"


def _hierarchy() -> Path:
    """Where control groups can be made: version 2, or one of version 1 that asks for no settings."""
    for place in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/freezer"):
        if os.access(f"{place}/cgroup.procs", os.W_OK):
            return Path(place)
    raise AssertionError("no control groups can be made here")


@pytest.fixture
def contained() -> Iterator[int]:
    """The port of a server whose control group says that a Docker container holds it."""
    outer = _hierarchy() / "docker"
    group = outer / ID
    group.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        (group / "cgroup.procs").write_text(str(server.pid))
        yield port
        server.kill()
    deadline = time.monotonic() + 30
    while True:
        try:
            group.rmdir()
            break
        except OSError:  # the kernel has not done with the process yet
            assert time.monotonic() < deadline
    try:
        outer.rmdir()
    except OSError:  # somebody else's containers are there
        pass


@pytest.mark.parametrize(
    "says",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n[", b"\xff" * 4096, b"HTTP/1.1 500 No\r\n\r\n"],
)
def test_an_engine_that_hangs_or_talks_rubbish(says: bytes, contained: int, tmp_path: Path) -> None:
    place = tmp_path / "engine.sock"
    code = f"""
import socket, sys, threading
one = socket.socket(socket.AF_UNIX)
one.bind({str(place)!r})
one.listen()
print(flush=True)
kept = []
def serve():
    while True:
        connection, _ = one.accept()
        kept.append(connection)
        connection.sendall({says!r})
threading.Thread(target=serve, daemon=True).start()
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        engine.stdout.readline()
        environment = {**os.environ, "DOCKER_HOST": f"unix://{place}"}
        done = run([*COMMAND, "ls", str(contained), "--json"], env=environment, timeout=30)
        engine.kill()
    document = answer(done)
    (owner,) = row(document, contained)["owners"]
    assert owner["container"]["id"] == ID
    assert owner["container"]["engine"] == "docker"
    assert [limit for limit in document["limits"] if str(place) in limit]


def test_an_engine_that_is_no_socket(contained: int, tmp_path: Path) -> None:
    place = tmp_path / "engine.sock"
    os.mkfifo(place)
    done = run([*COMMAND, "ls", str(contained)], env={**os.environ, "DOCKER_HOST": f"unix://{place}"}, timeout=30)
    assert done.returncode == 0
    assert f"container {ID[:12]}" in done.stdout


@pytest.mark.parametrize("host", ["tcp://192.0.2.1:2375", "ssh://x.invalid", "unix://", "unix://here", "\x1b"])
def test_an_engine_that_cannot_be_asked(host: str, contained: int) -> None:
    done = run([*COMMAND, "ls", str(contained)], env={**os.environ, "DOCKER_HOST": host}, timeout=30)
    assert done.returncode == 0
    assert f"container {ID[:12]}" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
