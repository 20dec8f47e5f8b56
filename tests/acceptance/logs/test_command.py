"""The command itself: other users, readers that go away, owners that end, JSON, errors that are grouped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from tests.acceptance.logs.asking import (
    HOMEPORT,
    SERVER_PY,
    Done,
    Follower,
    Start,
    Wait,
    get,
    logs,
    nginx_configuration,
)

import homeport


@pytest.fixture
def nobody() -> Iterator[Callable[..., Done]]:
    """`nobody(8080)`: homeport logs as an ordinary user, who may read neither root's home nor its environment."""
    folder = Path(tempfile.mkdtemp(prefix="hp-logs-"))
    for package in (homeport, click):
        source = Path(package.__file__ or "").parent
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    folder.chmod(0o755)
    user = ["runuser", "-u", "nobody", "--"]
    works = subprocess.run([*user, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0
    python = sys.executable if works else "/usr/bin/python3"

    def run(*words: str | int) -> Done:
        command = [*user, "env", f"PYTHONPATH={folder}", "HOME=/", python, "-P", "-B", "-m", "homeport", "logs"]
        return subprocess.run(
            [*command, *map(str, words)], capture_output=True, text=True, check=False, timeout=120, cwd="/"
        )

    yield run
    shutil.rmtree(folder)


def test_another_users_logs_say_what_cannot_be_read_and_why(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, nobody: Callable[..., Done]
) -> None:
    start("nginx", "-c", nginx_configuration(tmp_path, port), "-p", tmp_path)
    wait_for(port)
    done = nobody(port)
    assert done.returncode == 3, (done.returncode, done.stdout, done.stderr)
    assert "root" in done.stderr or "user" in done.stderr
    assert "sudo" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_reader_goes_away_and_the_follower_ends(start: Start, wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    start("sh", "-c", f"exec {sys.executable} server.py {port} >out.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    follower = subprocess.Popen([*HOMEPORT, "logs", str(port), "-f"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert follower.stdout is not None
    assert follower.stdout.readline()
    follower.stdout.close()
    assert follower.wait(30) in (0, -signal.SIGPIPE)


def test_the_end_of_the_owner_is_said_and_its_successor_is_followed(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    first = start("sh", "-c", f"exec {sys.executable} server.py {port} >first.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    follower = follow(port)
    follower.sees("ready to serve")
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    follower.says("has ended")
    start("sh", "-c", f"exec {sys.executable} server.py {port} >second.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    follower.says("is held by")
    follower.says("second.txt")
    get(port, "/again")
    follower.sees("GET /again")
    assert follower.end() == 130


def test_json_lines_while_following(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    start("sh", "-c", f"exec {sys.executable} server.py {port} >out.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    follower = follow(port, "--json")
    follower.sees('"event": "source"')
    get(port, "/missing")
    follower.sees("GET /missing")
    records = [json.loads(line) for line in follower.out]
    assert {one["command"] for one in records} == {"logs"}
    assert any(one["event"] == "line" and one["level"] == "warning" for one in records)
    assert follower.end() == 130


LOGFMT = """
import socket, sys, time
one = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for number in range(200):
    level = "error" if number % 4 == 0 else "warn" if number % 10 == 1 else "info"
    text = f"cannot reach 10.0.0.{number}:5432 for order {number * 7}" if level == "error" else f"took {number} ms"
    print(f'time=2026-11-20T10:{number // 60:02}:{number % 60:02}Z level={level} msg="{text}" n={number}', flush=True)
while True:
    one.accept()[0].close()
"""


def test_errors_of_a_noisy_logfmt_log_are_grouped(start: Start, wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "noise.py").write_text(LOGFMT)
    start("sh", "-c", f"exec {sys.executable} noise.py {port} >noise.log 2>&1", cwd=tmp_path)
    wait_for(port)
    groups = json.loads(logs(port, "--errors", "--json").stdout)["groups"]
    assert [(one["level"], one["shape"], one["count"]) for one in groups] == [
        ("error", "cannot reach <address> for order <n>", 50),
        ("warning", "took <n> ms", 20),
    ]
    assert groups[0]["last"] == "2026-11-20T10:03:16+00:00"
    text = logs(port, "--errors").stdout
    assert "50x error" in text and "cannot reach 10.0.0.196:5432" in text
    since = logs(port, "--since", "2026-11-20T10:03:10Z", "--grep", "order 13.*n=")
    assert [line.rsplit("n=", 1)[1] for line in since.stdout.splitlines()] == ["192", "196"]
    slow = logs(port, "--grep", "(e+)+$x|(.*.*)*=$")
    assert slow.returncode in (0, 2)
    assert logs(port, "--grep", "(").returncode == 2


def test_nothing_listens_there(port: int) -> None:
    done = logs(port)
    assert done.returncode == 1
    assert f"nothing listens at {port}" in done.stderr
