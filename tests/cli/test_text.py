"""Text from outside: harmless, and aligned by what a terminal shows of it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from homeport.cli.text import cells, cut, safe, table

ANYTHING = st.text(st.characters(), max_size=30)
HOSTILE = "a\x1b]0;title\x07\u202eb\udcff\u200b\n\U000e0041"


def test_everything_that_acts_is_made_visible() -> None:
    assert safe(HOSTILE) == r"a\x1b]0;title\x07\u202eb\xff\u200b\n\U000e0041"
    assert safe("plain, naïve, 日本") == "plain, naïve, 日本"


@given(ANYTHING)
def test_what_is_safe_is_printable_and_encodable(text: str) -> None:
    assert safe(text).isprintable()
    safe(text).encode()


def test_wide_and_combining_characters() -> None:
    assert [cells(text) for text in ("abc", "日本", "e\u0301", "")] == [3, 4, 1, 0]


@given(ANYTHING, st.integers(1, 40))
def test_a_cut_text_fits_and_says_that_it_is_cut(text: str, columns: int) -> None:
    text = safe(text)
    shown = cut(text, columns)
    assert cells(shown) <= columns
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))


@given(st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING), min_size=1, max_size=5))
def test_columns_start_at_one_place_on_every_line(rows: list[tuple[str, str, str]]) -> None:
    made = [("|" + safe(first), "|" + safe(second), "|" + safe(third) + "|") for first, second, third in rows]
    starts = set()
    for line, (_, _, third) in zip(table(made), made, strict=True):
        assert line.endswith(third)
        starts.add(cells(line.removesuffix(third)))
    assert len(starts) == 1


def test_numbers_are_flush_right() -> None:
    assert table([("1", "a"), ("日", "b")], head=("N", "X"), right=(0,)) == [" N  X", " 1  a", "日  b"]
    assert not re.search(r"\s$", "\n".join(table([("a", ""), ("b", "")])))
