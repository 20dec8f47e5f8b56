"""What the speakers share: how bytes are quoted, cut and waited for."""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Callable
from typing import ParamSpec, TypeVar

MOST_QUOTED = 120
"""How many characters of an answer go into evidence."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def forgiving(read: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """`read`, but None where the bytes end too early or contradict themselves: they prove nothing then."""

    @functools.wraps(read)
    def forgiven(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        try:
            return read(*args, **kwargs)
        except (struct.error, LookupError, ValueError, TypeError, OverflowError, RecursionError):
            return None  # cut short, lengths that lie, text that is none, JSON of another shape

    return forgiven


def text(data: bytes) -> str:
    """`data` as text, whatever it is."""
    return data.decode("utf-8", "replace")


def quoted(data: bytes) -> str:
    """The first line of `data` for evidence: in quotes, cut where it is long."""
    lines = data.splitlines()
    line = text(lines[0]) if lines else ""
    return f'"{line[:MOST_QUOTED]}…"' if len(line) > MOST_QUOTED else f'"{line}"'


def binary(data: bytes) -> str:
    """The first bytes of `data` for evidence, in hexadecimal."""
    return data[:24].hex(" ") + (" …" if len(data) > 24 else "")


def named(found: str, products: tuple[tuple[str, str], ...]) -> tuple[str | None, str | None]:
    """Product and version from a banner: the first of `products` (name, pattern whose group 1 is the version) in it."""
    for product, pattern in products:
        match = re.search(pattern, found)
        if match:
            return product, match[1] if match.re.groups else None
    return None, None


SMTP = re.compile(r"(?i)(?<![\w.@-])E?SMTPS?(?![\w.-])")
FTP = re.compile(r"(?i)(?<![\w.@-])(?:FTP(?:[ -](?:server|service))?|ftpd)(?![\w.-])")
"""Words of a greeting that name the protocol; within the name of a host they do not count."""


def exactly(count: int) -> Callable[[bytes], bool]:
    """Complete with `count` bytes."""
    return lambda data: len(data) >= count


def line(data: bytes) -> bool:
    """Complete with a line."""
    return b"\n" in data


def last_line(data: bytes) -> bool:
    """Complete with the last line of a reply whose lines begin with a code (RFC 5321 §4.2.1, RFC 959 §4.2)."""
    lines = data.split(b"\r\n" if b"\r\n" in data else b"\n")
    return len(lines) > 1 and not lines[-1] and lines[-2][3:4] != b"-"


def sized(size: Callable[[bytes], int | None], header: int) -> Callable[[bytes], bool]:
    """Complete with `size(data)` bytes, told by the first `header` bytes; None: another protocol, wait no more."""

    def complete(data: bytes) -> bool:
        if len(data) < header:
            return False
        whole = size(data)
        return whole is None or len(data) >= whole

    return complete


class Cursor:
    """Reads on through bytes; raises struct.error where they end (see `forgiving`)."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count < 0 or self.at + count > len(self.data):
            raise struct.error("the bytes end too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, width: int, order: str = "big") -> int:
        """The next `width` bytes as an unsigned number, "big" or "little" endian."""
        return int.from_bytes(self.take(width), "big" if order == "big" else "little")

    def until(self, end: bytes = b"\0") -> bytes:
        """The bytes before the next `end`, which is stepped over."""
        found = self.data.index(end, self.at)
        data, self.at = self.data[self.at : found], found + len(end)
        return data

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.at
