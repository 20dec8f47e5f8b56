"""Bytes into lines, within bounds: whatever comes, a line is at most `LONGEST` bytes and nothing grows."""

from __future__ import annotations

LONGEST = 1 << 16
"""Bytes of a line that are kept."""


class Splitter:
    """Feeds on pieces of a stream and gives its lines, decoded; what is no UTF-8 becomes surrogates (PEP 383)."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._lost = 0

    def feed(self, data: bytes) -> list[str]:
        """The lines that end in `data`; a NUL, as files have where they were truncated under a writer, is nothing."""
        found = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._take(data[start:end])
            found.append(self._line())
            start = end + 1
        self._take(data[start:])
        return found

    def flush(self) -> list[str]:
        """The line that has no end yet, if there is one."""
        return [self._line()] if self._rest or self._lost else []

    def _take(self, piece: bytes) -> None:
        if not self._rest:
            piece = piece.lstrip(b"\0")
        room = LONGEST - len(self._rest)
        self._rest += piece[:room]
        self._lost += max(0, len(piece) - room)

    def _line(self) -> str:
        text = self._rest.removesuffix(b"\r").decode("utf-8", "surrogateescape")
        if self._lost:
            text += f"… ({self._lost} more bytes)"
        self._rest = bytearray()
        self._lost = 0
        return text
