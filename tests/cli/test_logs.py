"""The text and the words of `homeport logs`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from tests.conftest import Homeport

from homeport.cli import logs as face
from homeport.cli.logs_command import since_of
from homeport.cli.text import Paint
from homeport.errors import UsageError
from homeport.model.evidence import Evidence
from homeport.model.logs import ErrorGroup, Level, LogKind, LogLine, Logs, LogSource

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLAIN = Paint(StringIO())


def line(text: str, *, time: datetime | None = None, inherited: bool = False) -> LogLine:
    return LogLine(time=time, level=Level.ERROR, text=text, message=text, source="a.log", inherited=inherited)


def source(*, readable: bool = True, denied: bool = False) -> LogSource:
    return LogSource(
        kind=LogKind.FILE, label="a.log", what="/l/a.log", readable=readable, denied=denied, size=5 << 30,
        reason=None if readable else "permission denied", evidence=(Evidence("/proc/1/fd/1", "stdout leads there"),),
    )  # fmt: skip


def answer(*sources: LogSource, denied: bool = False) -> Logs:
    return Logs(asked="1", taken_at=NOW, sources=sources, lines=(), groups=(), hints=(), limits=(), denied=denied)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10m", NOW - timedelta(minutes=10)),
        ("90 s", NOW - timedelta(seconds=90)),
        ("2h30m", NOW - timedelta(hours=2, minutes=30)),
        ("1 day 2 hours ago", NOW - timedelta(hours=26)),
        ("now", NOW),
        ("@1795413265", datetime(2026, 11, 23, 5, 54, 25, tzinfo=UTC)),
        ("2hours", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(days=7)),
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20).astimezone()),
    ],
)
def test_since(text: str, expected: datetime) -> None:
    assert since_of(text, NOW) == expected


def test_since_of_days() -> None:
    midnight = NOW.astimezone().replace(hour=0, minute=0)
    assert since_of("today", NOW) == midnight
    assert since_of("yesterday", NOW) == midnight - timedelta(days=1)
    assert since_of("09:30", NOW) == midnight.replace(hour=9, minute=30)
    later = NOW.astimezone() + timedelta(minutes=1)
    assert since_of(later.strftime("%H:%M"), NOW) == later.replace(second=0, microsecond=0) - timedelta(days=1)


@pytest.mark.parametrize(
    "text", ["", "soon", "5months", "1 fortnight", "2h30", "ago", "25:99", "-1h", "10x", "999999w", "2026-13-01", "1٣m"]
)
def test_no_time(text: str) -> None:
    with pytest.raises(UsageError):
        since_of(text, NOW)


def test_an_entry_is_harmless() -> None:
    (shown,) = face.entry_lines(line("\x1b[2J\x1b]0;x\x07bad \u202e\udcff"), False, PLAIN)
    assert shown == "\\x1b[2J\\x1b]0;x\\x07bad \\u202e\\xff"


def test_an_entry_has_its_source_where_there_are_several() -> None:
    assert list(face.entry_lines(line("a\n\tb"), True, PLAIN)) == ["a.log | a", "a.log |     b"]


def test_a_time_is_added_where_the_text_has_none() -> None:
    shown = NOW.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert list(face.entry_lines(line("a\nb", time=NOW), False, PLAIN)) == [f"{shown} a", "b"]
    assert list(face.entry_lines(line("12:00:00 a", time=NOW), False, PLAIN)) == ["12:00:00 a"]
    assert list(face.entry_lines(line("a", time=NOW, inherited=True), False, PLAIN)) == ["a"]


def test_a_group() -> None:
    one = ErrorGroup(
        shape="no <n>", level=Level.ERROR, count=12, first=NOW - timedelta(1), last=NOW, sources=("a.log",),
        example="no 7\n" + "  at x\n" * 20,
    )  # fmt: skip
    head, shape, *example = face.group_lines([one], PLAIN)
    assert head.startswith("    12x error   last 2026-") and "first 2026-" in head and head.endswith("a.log")
    assert shape.strip() == "no <n>"
    assert example[0].strip() == "> no 7"
    assert "10 more lines" in example[-1]


def test_sources_say_why() -> None:
    found = list(face.source_lines([source(), source(readable=False)], PLAIN))
    assert found[0].split() == ["a.log", "file", "5.0", "GiB", "/l/a.log"]
    assert found[1].strip() == "stdout leads there (/proc/1/fd/1)"
    assert found[2].endswith("/l/a.log: permission denied")


def test_exit_codes() -> None:
    assert face.code(answer(source(), source(readable=False, denied=True), denied=True)) == 0
    assert face.code(answer(source(readable=False, denied=True), denied=True)) == 3
    assert face.code(answer(source(readable=False))) == 1
    assert face.code(answer()) == 1
    assert face.code(answer(), answered=True) == 1
    assert face.code(answer(source(readable=False)), answered=True) == 0


@pytest.mark.parametrize(
    "words",
    [("--level", "loud"), ("--since", "soon"), ("--follow", "--errors"), ("--follow", "--sources"), ("--lines", "-1"),
     ("--grep", "(")],
)  # fmt: skip
def test_words_that_do_not_fit(homeport: Homeport, words: tuple[str, ...]) -> None:
    done = homeport("logs", "1", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
