"""Text for people: harmless, aligned, coloured only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HARMFUL = {c: f"\\x{c:02x}" for c in (*range(0x20), *range(0x7F, 0xA0))}
_HARMFUL |= {0x0A: "\\n", 0x09: "\\t", 0x0D: "\\r", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_HARMFUL |= {ord(c): f"\\u{ord(c):04x}" for c in _BIDI}
_HARMFUL |= {c: f"\\x{c - 0xDC00:02x}" for c in range(0xDC80, 0xDD00)}


def safe(text: str) -> str:
    r"""Text from outside with everything a terminal could obey made visible (`\x1b`), bytes that are no UTF-8 too."""
    return text if text.isascii() and text.isprintable() else text.translate(_HARMFUL)


class Paint:
    """Wraps text in SGR codes (ECMA-48 §8.3.117), or leaves it plain off a terminal and under NO_COLOR."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = sys.stdout if stream is None else stream
        self.on = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def __call__(self, text: str, *styles: str) -> str:
        """`text` in the named styles: bold, dim, red, green, yellow, blue, cyan."""
        if not (self.on and text and styles):
            return text
        return f"\x1b[{';'.join(_CODES[s] for s in styles)}m{text}\x1b[0m"


def table(rows: Sequence[Sequence[str]], *, head: Sequence[str] | None = None, right: Iterable[int] = ()) -> list[str]:
    """Rows as aligned lines without trailing blanks; the columns numbered in `right` are flush right."""
    everything = [head, *rows] if head is not None else list(rows)
    if not everything:
        return []
    last = len(everything[0]) - 1
    flush_right = frozenset(right)
    cells = []
    for index, column in enumerate(zip(*everything, strict=True)):
        width = max(map(len, column))
        cells.append(
            "{:>%d}" % width if index in flush_right else "{}" if index == last else "{:<%d}" % width  # noqa: UP031
        )
    line = "  ".join(cells).format
    return [line(*row).rstrip() for row in everything]
