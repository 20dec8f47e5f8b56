"""Unix sockets and ports of real programs that carry bytes away."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.system.tunnels import carried_away

ELSEWHERE = "TCP:192.0.2.1:9"


@contextlib.contextmanager
def listening(path: Path, *words: str) -> Iterator[None]:
    """A program that listens on `path`, which may be written otherwise in its words; it runs in the folder of it."""
    with subprocess.Popen(words, cwd=path.parent) as one:
        try:
            deadline = time.monotonic() + 30
            while not path.exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield
        finally:
            one.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is called `link`, too, as /run is called /var/run."""
    real = tmp_path.resolve() / "real"
    real.mkdir()
    real.with_name("link").symlink_to(real)
    return real


@pytest.mark.parametrize("bound", ["{folder}/engine.sock", "{folder}/../link/engine.sock", "engine.sock"])
def test_a_tunnel_is_found_however_its_socket_was_named(folder: Path, bound: str) -> None:
    path = folder / "engine.sock"
    with listening(path, "socat", f"UNIX-LISTEN:{bound.format(folder=folder)},fork", ELSEWHERE):
        found = carried_away([str(path)], [])
    assert list(found) == [str(path)]
    assert "socat" in found[str(path)]


def test_of_another_folder_or_to_this_machine_it_is_none(folder: Path) -> None:
    path, other = folder / "engine.sock", folder.with_name("engine.sock")
    with (
        listening(other, "socat", f"UNIX-LISTEN:{other},fork", ELSEWHERE),
        listening(path, "socat", f"UNIX-LISTEN:{path},fork", "TCP:127.0.0.1:9"),
    ):
        assert list(carried_away([str(path), str(other)], [])) == [str(other)]
        assert carried_away([str(path)], []) == {}


def test_a_port(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert carried_away([], [port]) == {}
    with subprocess.Popen(["socat", f"TCP-LISTEN:{port},fork,bind=127.0.0.1", ELSEWHERE], cwd=folder) as one:
        try:
            deadline = time.monotonic() + 30
            while port not in carried_away([], [port]):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            one.kill()


def test_a_name_with_a_line_break_does_no_harm() -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("\0x\na b c zz e f 1 /run/engine.sock")
        one.listen()
        assert carried_away(["/run/engine.sock"], []) == {}
