"""Bytes into lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from homeport.logs.splitting import LONGEST, Splitter


@given(st.binary(max_size=400), st.lists(st.integers(1, 50)))
def test_pieces_do_not_matter(data: bytes, cuts: list[int]) -> None:
    one = Splitter()
    found = []
    rest = data
    for cut in cuts:
        found += one.feed(rest[:cut])
        rest = rest[cut:]
    found += one.feed(rest) + one.flush()
    whole = Splitter()
    assert found == whole.feed(data) + whole.flush()


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), max_size=30)))
def test_lines_come_back(lines: list[str]) -> None:
    assert Splitter().feed("".join(f"{line}\n" for line in lines).encode()) == lines


def test_a_line_of_megabytes_is_cut_and_says_so() -> None:
    one = Splitter()
    for _ in range(100):
        assert one.feed(b"x" * 65_536) == []
    (line,) = one.feed(b"\n")
    assert line == "x" * LONGEST + f"… ({99 * 65_536} more bytes)"


def test_the_hole_before_a_line_and_no_utf8() -> None:
    assert Splitter().feed(b"\0" * 5000 + b"a\xff\r\n") == ["a\udcff"]
