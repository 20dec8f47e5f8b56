"""The stream of an engine's logs."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from homeport.wire.log_frames import Frames

PARTS = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(min_size=1, max_size=60)), max_size=8)


def joined(found: list[tuple[str, bytes]]) -> dict[str, bytes]:
    return {name: b"".join(data for each, data in found if each == name) for name in ("stdout", "stderr")}


@given(PARTS, st.lists(st.integers(1, 40)))
def test_frames_come_back_whatever_the_pieces(parts: list[tuple[int, bytes]], cuts: list[int]) -> None:
    raw = b"".join(struct.pack(">BxxxI", stream, len(data)) + data for stream, data in parts)
    one = Frames()
    found = []
    for cut in cuts:
        found += one.feed(raw[:cut])
        raw = raw[cut:]
    found += one.feed(raw)
    assert joined(found) == joined([("stdout" if stream == 1 else "stderr", data) for stream, data in parts])


def test_a_terminal_has_no_frames() -> None:
    one = Frames()
    assert one.feed(b"2026-11-23T05:54:25Z hi\n") == [("stdout", b"2026-11-23T05:54:25Z hi\n")]
    assert one.feed(b"\1\0\0\0") == [("stdout", b"\1\0\0\0")]


@given(st.lists(st.binary(max_size=60)))
def test_anything_is_survived(pieces: list[bytes]) -> None:
    one = Frames()
    total = sum(len(data) for piece in pieces for _, data in one.feed(piece))
    assert total <= sum(map(len, pieces))
