"""Errors by shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.logs.shapes import MOST_SHAPES, Groups, shape
from homeport.model.logs import Level, LogLine

T = datetime(2026, 11, 23, 5, 54, 25, tzinfo=UTC)


def line(message: str, level: Level | None = Level.ERROR, seconds: int = 0, source: str = "a") -> LogLine:
    return LogLine(time=T + timedelta(seconds=seconds), level=level, text=message, message=message, source=source)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("took 12 ms", "took <n> ms"),
        ("took 12ms, -3.5 of 1,000", "took <n>ms, <n> of <n>"),
        ('relation "x" does not exist', 'relation "…" does not exist'),
        ("can't open 'a b'", "can't open '…'"),
        ("client 10.0.0.1:5432 gone", "client <address> gone"),
        ("client [::1]:5432 gone, 2001:db8::1 too", "client <address> gone, <address> too"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id <id>"),
        ("at 0xdeadbeef in deadbeef01", "at <id> in <id>"),
        ("since 2026-11-23T05:54:25.123Z", "since <time>"),
        ("HTTP 500 for GET /cart/12", "HTTP 500 for GET /cart/<n>"),
        ("request_7 in http2 and utf8", "request_7 in http2 and utf8"),
        ("first\nsecond", "first"),
    ],
)
def test_a_shape(message: str, expected: str) -> None:
    assert shape(message) == expected


@given(st.text(max_size=400))
def test_a_shape_is_short_and_stable(message: str) -> None:
    assert len(shape(message)) <= 500
    assert "\n" not in shape(message)


@pytest.mark.parametrize(
    "text", ["'" * 50_000, '"\\' * 30_000, "1:" * 30_000, "a1" * 30_000, "[" * 50_000, "-" * 50_000]
)
def test_hostile_messages_end(text: str) -> None:
    shape(text)


def test_groups_count_and_keep_the_last() -> None:
    groups = Groups()
    for seconds in (5, 9, 7):
        groups.add(line(f"no cart {seconds}", seconds=seconds))
    groups.add(line("slow 1", Level.WARNING))
    groups.add(line("fine", Level.INFO))
    groups.add(line("unknown", None))
    groups.add(line("no cart 1", Level.CRITICAL, source="b"))
    first, second = groups.groups()
    assert (first.shape, first.count, first.level, first.sources) == ("no cart <n>", 4, Level.CRITICAL, ("a", "b"))
    assert first.last == T + timedelta(seconds=9)
    assert first.first == T
    assert first.example == "no cart 9"
    assert (second.shape, second.count) == ("slow <n>", 1)


def test_groups_are_bounded_and_lose_no_count() -> None:
    groups = Groups()
    total = MOST_SHAPES + 100
    for number in range(total):
        groups.add(line("".join(chr(97 + int(digit)) for digit in str(number))))
    other = Groups()
    other.merge(groups)
    assert len(other.groups()) == MOST_SHAPES + 1
    assert sum(one.count for one in other.groups()) == total
