"""What all tests share: the command as a user runs it, and the law that in CI nothing is skipped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as in what a shell starts in the background; programs under test would inherit that, and could not be interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)

Skip = pytest.TestReport | pytest.CollectReport


Homeport = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def homeport(tmp_path: Path) -> Homeport:
    """`homeport("ls", "--json")` and its exit code, output and errors."""

    def run(
        *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), **(env or {})}
        command = [sys.executable, "-P", "-m", "homeport", *words]
        return subprocess.run(
            command, env=environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=60, errors="replace"
        )

    return run


def _forbid_skips(report: Skip) -> None:
    """In CI every part is there: what is skipped was not tested, and that is a failure."""
    if os.environ.get("CI") and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which in CI nothing may be: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See `_forbid_skips`."""
    report = yield
    _forbid_skips(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See `_forbid_skips`; a module may skip itself as a whole."""
    report = yield
    _forbid_skips(report)
    return report
