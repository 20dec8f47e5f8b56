"""Bad weather: what all of its tests need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import homeport

COMMAND = [sys.executable, "-P", "-m", "homeport"]
SERVER = """
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if "udp" in sys.argv else socket.SOCK_STREAM)
one.bind(("127.83.19.7", 0))
if "udp" not in sys.argv:
    one.listen()
print(one.getsockname()[1], flush=True)
sys.stdin.read()
"""

HERE = "127.83.19.7"
"""An address of these tests alone, so that no other crowd on the machine has one of their ports on it."""


def run(words: Sequence[str], **settings: Any) -> subprocess.CompletedProcess[str]:
    """A command with its output as text; bounded."""
    settings = {"capture_output": True, "text": True, "check": False, "timeout": 60, "errors": "replace", **settings}
    return subprocess.run(words, **settings)


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON document of a run that must not have complained."""
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1), done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def row(document: dict[str, Any], port: int) -> dict[str, Any]:
    """The one listener of these tests with that port."""
    (one,) = [one for one in document["listeners"] if (one["address"], one["port"]) == (HERE, port)]
    found: dict[str, Any] = one
    return found


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    """A TCP listener of root."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


@pytest.fixture(scope="session")
def nobody() -> Iterator[list[str]]:
    """The start of a command that runs homeport as an ordinary user, who may read neither root's home nor its venv."""
    folder = tempfile.mkdtemp(prefix="hp-weather-")
    shutil.copytree(Path(homeport.__file__).parent, f"{folder}/homeport", ignore=shutil.ignore_patterns("__pycache__"))
    os.chmod(folder, 0o755)
    try:
        python = next(
            one
            for one in (sys.executable, "/usr/bin/python3")
            if not run(["runuser", "-u", "nobody", "--", one, "-c", ""]).returncode
        )
        yield ["runuser", "-u", "nobody", "--", "env", f"PYTHONPATH={folder}", python, "-P", "-B", "-m", "homeport"]
    finally:
        shutil.rmtree(folder)
