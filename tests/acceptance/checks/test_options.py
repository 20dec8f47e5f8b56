"""`--watch` shows what changes, `--timeout` is kept, `--from` tries from elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import free_ports, namespace, serving
from tests.conftest import Homeport

SLACK = 2.0
"""Seconds by which a check of a crowded machine may be late."""


@pytest.fixture
def here() -> int:
    """A port that nothing has."""
    return free_ports(1)[0]


@pytest.fixture
def watch(here: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`homeport check … --watch` on a port that nothing has yet."""
    words = [sys.executable, "-P", "-m", "homeport", "check", f"http://127.0.0.1:{here}/", "--timeout", "1"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*words, "--watch", "0.5", "--json"], env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=tmp_path,
    ) as one:  # fmt: skip
        try:
            yield one
        finally:
            one.kill()


def until(lines: IO[str], verdict: str) -> list[str]:
    """The verdicts of the documents that come, up to the one that is waited for."""
    seen = []
    for line in lines:
        seen.append(json.loads(line)["diagnosis"]["verdict"])
        if seen[-1] == verdict or len(seen) > 60:
            break
    return seen


def test_watch_shows_what_changes(watch: subprocess.Popen[str], here: int) -> None:
    assert watch.stdout is not None and watch.stderr is not None
    assert until(watch.stdout, "nothing-listens") == ["nothing-listens"]
    with serving("127.0.0.1", here):
        assert until(watch.stdout, "ok")[-1] == "ok"
    assert until(watch.stdout, "nothing-listens")[-1] == "nothing-listens"
    watch.send_signal(signal.SIGINT)
    assert watch.wait(30) == 130
    assert "Traceback" not in watch.stderr.read()


def test_watch_for_people(here: int, tmp_path: Path) -> None:
    words = [sys.executable, "-P", "-m", "homeport", "check", f"127.0.0.1:{here}", "--timeout", "1", "--watch", "0.5"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    with subprocess.Popen(
        words, env=environment, text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=tmp_path
    ) as one:
        try:
            assert one.stdout is not None
            assert "nothing-listens" in one.stdout.readline()
            with serving("127.0.0.1", here):
                change = next(line for line in one.stdout if line[:2].isdigit() and line[2] == ":")
                assert change.split()[1] in ("ok", "starting")
            one.send_signal(signal.SIGINT)
            assert one.wait(30) == 130
        finally:
            one.kill()


@pytest.mark.parametrize("manner", ["mute", "sleep", "hang-up", "http"])
def test_the_time_is_kept(check: Check, here: int, manner: str) -> None:
    with serving("127.0.0.1", here, manner):
        found = check(f"http://127.0.0.1:{here}/", "--timeout", "1")
    assert found["seconds"] < 1 + SLACK
    assert sum(one["seconds"] or 0 for one in found["observations"] if one["layer"] == "http") < 1 + SLACK


def test_the_time_is_kept_where_nothing_listens(check: Check, here: int) -> None:
    assert check(f"127.0.0.1:{here}", "--timeout", "1")["seconds"] < 1 + SLACK


@pytest.mark.parametrize("time", ["0", "-1", "soon", "nan", "inf", "1e9"])
def test_a_time_that_is_none(homeport: Homeport, here: int, time: str) -> None:
    done = homeport("check", f"127.0.0.1:{here}", "--timeout", time)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


PLACES = ["hp-no-such-place", "", "4294967295", "0", "../../etc/passwd", "a" * 5000, "\x1b[31m"]


@pytest.mark.parametrize("place", PLACES)
def test_from_nowhere(homeport: Homeport, here: int, place: str) -> None:
    done = homeport("check", f"127.0.0.1:{here}", "--from", place)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "\x1b" not in done.stderr


def test_from_a_namespace_the_answer_is_that_of_a_client_there(check: Check, here: int) -> None:
    with namespace() as one, namespace() as other, serving("127.0.0.1", here, prefix=one.prefix):
        assert check(f"http://127.0.0.1:{here}/", "--from", one.name)["verdict"] == "ok"
        found = check(f"http://127.0.0.1:{here}/", "--timeout", "2", "--from", other.name)
        assert found["verdict"] == "other-namespace"
        assert one.name in found["cause"]


def test_watching_takes_a_time(homeport: Homeport, here: int) -> None:
    assert homeport("check", f"127.0.0.1:{here}", "--watch", "nan").returncode == 2


def test_no_port_is_a_wrong_use(homeport: Homeport) -> None:
    done = homeport("check", "127.0.0.1")
    assert done.returncode == 2
    assert "port" in done.stderr
