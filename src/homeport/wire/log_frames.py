"""The stream of `GET /containers/ID/logs`: frames of stdout and stderr, or plain text where there is a terminal.

Docker Engine API, "Stream format": a header of eight bytes, `{STREAM, 0, 0, 0, SIZE as 32-bit big endian}`.
"""

from __future__ import annotations

_STREAMS = ("stdout", "stdout", "stderr")


class Frames:
    """Feeds on pieces of the stream and gives (stream, bytes) as they become known."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        self._stream = "stdout"
        self._framed: bool | None = None

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """What the piece completes."""
        rest = self._rest + data
        if self._framed is None and rest:
            if len(rest) < 8 and rest[0] <= 2:  # not enough to tell
                self._rest = rest
                return []
            self._framed = rest[0] <= 2 and rest[1:4] == b"\0\0\0"
        if not self._framed:
            self._rest = b""
            return [("stdout", rest)] if rest else []
        found = []
        while rest:
            if self._left == 0:
                if len(rest) < 8:
                    break
                self._stream = _STREAMS[rest[0]] if rest[0] < len(_STREAMS) else "stdout"
                self._left = int.from_bytes(rest[4:8], "big")
                rest = rest[8:]
            piece, rest = rest[: self._left], rest[self._left :]
            self._left -= len(piece)
            if piece:
                found.append((self._stream, piece))
        self._rest = rest
        return found
