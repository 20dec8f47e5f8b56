"""The journal by a program that answers as journalctl does, an engine by a real one, a window's additions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from homeport.logs.formats import reader
from homeport.logs.places.kind import OfFile, OfText, OfUnit
from homeport.system import engines, log_feeds
from homeport.system.log_feeds import ContainerLog, JournalLog, _added, open_feed

JOURNALCTL = """#!/usr/bin/python3
import json, sys, time
words = sys.argv[1:]
if "missing.service" in words:
    sys.exit(0)
if "closed.service" in words:
    sys.exit("No journal files were opened due to insufficient permissions.")
def row(number):
    return json.dumps({"__CURSOR": f"s={number}", "__REALTIME_TIMESTAMP": str(1795413265000000 + number * 1000000),
                       "PRIORITY": "6", "MESSAGE": f"line {number}", "_PID": "7"})
if "--follow" in words:
    assert "--after-cursor=s=9" in words, words
    print(row(10), flush=True)
    time.sleep(1000)
lines = int(words[words.index("-n") + 1])
for number in range(max(0, 10 - lines), 10):
    print(row(number))
"""


@pytest.fixture
def journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bin" / "journalctl"
    path.parent.mkdir()
    path.write_text(JOURNALCTL)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


def until(some: Callable[[], list[str]]) -> list[str]:
    deadline = time.monotonic() + 30
    while not (found := some()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.mark.usefixtures("journalctl")
def test_a_units_journal_and_what_is_added() -> None:
    feed = open_feed(OfUnit("shop.service", False))
    try:
        lines, complete = feed.last(3)
        assert [json.loads(line)["MESSAGE"] for line in lines] == ["line 7", "line 8", "line 9"]
        assert not complete
        (added,) = until(feed.more)
        assert json.loads(added)["MESSAGE"] == "line 10"
    finally:
        feed.close()


@pytest.mark.usefixtures("journalctl")
def test_a_unit_without_a_journal_says_so() -> None:
    with pytest.raises(OSError, match=r"has no entries of missing\.service"):
        JournalLog("missing.service", user=False)
    with pytest.raises(OSError, match="insufficient permissions"):
        JournalLog("closed.service", user=True)


def test_a_containers_log_by_a_real_engine(podman: Any, podman_socket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{podman_socket}")
    script = "i=0; while true; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.2; done"
    identity = podman.run("logs", "--log-driver", "k8s-file", command=("/bin/sh", "-c", script))

    feed = ContainerLog(identity)
    try:
        first = until(lambda: list(feed.last(100)[0]) if len(list(feed.last(100)[0])) > 3 else [])
        read = reader(datetime.now(UTC))
        found = [read(line) for line in first]
        assert all(one is not None and one.time is not None and one.text is not None for one in found)
        assert {one.stream for one in found if one is not None} == {"stdout", "stderr"}
        assert first[0].endswith((" out 1", " err 1"))
        added = [*until(feed.more), *until(feed.more), *until(feed.more)]
        everything = [line.rsplit(" F ", 1)[1] for line in first + added]
        for stream in ("out", "err"):  # podman tells seconds only: none is lost or told twice for that
            numbers = [int(one.split()[1]) for one in everything if one.startswith(stream)]
            assert numbers == list(range(1, len(numbers) + 1))
    finally:
        feed.close()


def test_a_container_that_no_engine_knows() -> None:
    with pytest.raises(OSError, match="no engine"):
        ContainerLog("f" * 64)


def test_the_lines_of_one_program_in_a_syslog_file(tmp_path: Path) -> None:
    path = tmp_path / "syslog"
    path.write_text("Nov 23 05:54:25 host shop[1]: one\nNov 23 05:54:25 host other[1]: no\n")
    feed = open_feed(OfFile(str(path), only="shop"))
    assert list(feed.last(10)[0]) == ["Nov 23 05:54:25 host shop[1]: one"]
    with path.open("a") as file:
        file.write("Nov 23 05:54:26 host workshop: no\nNov 23 05:54:26 host shop: two\n")
    assert feed.more() == ["Nov 23 05:54:26 host shop: two"]
    feed.close()


def test_known_lines() -> None:
    feed = open_feed(OfText(("a", "b")))
    assert (list(feed.last(1)[0]), feed.more()) == (["b"], [])
    assert list(feed.last(0)[0]) == []
    feed.close()


@pytest.mark.parametrize(
    ("before", "now", "added"),
    [
        (["a", "b"], ["a", "b"], []),
        (["a", "b"], ["a", "b", "c"], ["c"]),
        (["a", "b", "c"], ["b", "c", "d", "e"], ["d", "e"]),
        ([], ["a"], ["a"]),
        (["x"], ["a", "b"], ["a", "b"]),
        (["a"] * 30, ["a"] * 30 + ["b"], ["b"]),
    ],
)
def test_what_has_come_to_a_window(before: list[str], now: list[str], added: list[str]) -> None:
    assert _added(before, now) == added


def test_lines_of_one_second_all_come_once_from_an_engine_that_tells_whole_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = ["2026-11-23T05:54:25Z stdout F a", "2026-11-23T05:54:25Z stdout F b"]
    monkeypatch.setattr(log_feeds, "_AGAIN", 0.0)
    monkeypatch.setattr(ContainerLog, "_read", lambda _, lines: kept[-lines:])
    monkeypatch.setattr(engines.Engines, "place_of", lambda *_: engines.Place("podman", "/none", 0))
    feed = ContainerLog("c" * 64)
    assert list(feed.last(10)[0]) == kept
    kept += ["2026-11-23T05:54:25Z stdout F b", "2026-11-23T05:54:25Z stderr F c"]
    assert feed.more() == kept[2:]
    assert feed.more() == []
    kept += ["2026-11-23T05:54:26.12Z stdout F d", "2026-11-23T05:54:26.123Z stdout F e"]
    assert feed.more() == kept[4:]
    assert feed.more() == []


def test_all_lines_come_of_a_container_that_said_nothing_before(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    monkeypatch.setattr(log_feeds, "_AGAIN", 0.0)
    monkeypatch.setattr(ContainerLog, "_read", lambda _, lines: kept[-lines:])
    monkeypatch.setattr(engines.Engines, "place_of", lambda *_: engines.Place("podman", "/none", 0))
    feed = ContainerLog("c" * 64)
    assert feed.more() == []
    kept += [f"2026-11-23T05:54:{second:02}.{number:03}Z stdout F x" for second in range(3) for number in range(500)]
    assert feed.more() == kept
    assert feed.more() == []
