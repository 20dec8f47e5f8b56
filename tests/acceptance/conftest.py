"""Real servers, each started as its user would start it, each ended by pid."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
Page = Callable[..., dict[str, Any]]


class Started:
    """Programs in sessions of their own, whole process groups ended at the end."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def __call__(self, *command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> int:
        one = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._running.append(one)
        return one.pid

    def close(self) -> None:
        for one in self._running:
            try:
                os.killpg(one.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        for one in self._running:
            try:
                one.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(one.pid, signal.SIGKILL)
                one.wait()


@pytest.fixture
def start() -> Iterator[Started]:
    """`start("nginx", …)`: its pid."""
    started = Started()
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """`page("127.0.0.1:62893")`: the document of `homeport ADDR --json`, by the launcher of the checkout."""

    def show(address: str, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [ROOT / "scripts" / "homeport", address, "--json", *words],
            capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")},
        )  # fmt: skip
        assert done.returncode == 0, (done.returncode, done.stderr, done.stdout[:2000])
        answer = json.loads(done.stdout)
        assert answer["schema"] == "homeport/1"
        return dict(answer)

    return show


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository on the branch `shop`, with a first commit."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for words in (
        ("init", "-q", "-b", "shop"),
        ("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "first"),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago, outside of the kernel's ephemeral range."""
    return _free_port()


@pytest.fixture(scope="module")
def module_port() -> int:
    """As `port`, one for all tests of a file."""
    return _free_port()


@pytest.fixture(scope="session")
def wait_for() -> Callable[[int], None]:
    """Waits until something accepts connections on a port of 127.0.0.1."""

    def wait(port: int) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except OSError:
                assert time.monotonic() < deadline, f"nothing listens on port {port}"
                time.sleep(0.05)
            else:
                return

    return wait


def _free_port() -> int:
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[1])
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])  # files that run at once have ports of their own
    for port in range(low + 1 + worker * 900 + 500 + os.getpid() % 300, 65536):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
