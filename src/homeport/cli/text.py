"""Text for people: harmless, aligned, coloured only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def safe(text: str) -> str:
    r"""Text from outside with all that a terminal could obey, or a reader not see, made visible (`\x1b`, `\u200b`).

    So are bytes that are no UTF-8 (surrogateescape), as `\xff`. What is left is printable by Unicode's categories.
    """
    return text if text.isprintable() else "".join([one if one.isprintable() else _visible(one) for one in text])


def _visible(character: str) -> str:
    number = ord(character)
    if number < 0x100 or 0xDC80 <= number < 0xDD00:
        return _NAMED.get(character) or f"\\x{number & 0xFF:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def cells(text: str) -> int:
    """How many columns of a terminal a safe text takes: wide characters (UAX #11) two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(one) in ("Mn", "Me") else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def cut(text: str, columns: int) -> str:
    """A safe text in at most so many columns, with a mark where something is missing."""
    if cells(text) <= columns:
        return text
    end = columns - 1
    while cells(text[:end]) > columns - 1:
        end -= 1
    return text[:end] + "…"


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
    formats, columns = [], []
    for index, column in enumerate(zip(*everything, strict=True)):
        width = max(map(cells, column))
        form = "{:>%d}" % width if index in flush_right else "{}" if index == last else "{:<%d}" % width  # noqa: UP031
        if any(not cell.isascii() for cell in column):  # str.format counts characters, which may be wider
            blanks = [" " * (width - cells(cell)) for cell in column]
            pairs = zip(blanks, column, strict=True) if index in flush_right else zip(column, blanks, strict=True)
            form, column = "{}", tuple([first + second for first, second in pairs])
        formats.append(form)
        columns.append(column)
    line = "  ".join(formats).format
    return [line(*row).rstrip() for row in zip(*columns, strict=True)]
