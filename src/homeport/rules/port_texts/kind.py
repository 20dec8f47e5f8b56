"""What a kind of file is, and how a port number is found in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import NamedTuple

from homeport.rules.masking import mask

MOST_LINES = 20_000
LONGEST_LINE = 4_000
MOST_MENTIONS = 20

NUMBER = r"(?<![\w.])(\d[\d_]{0,6})(?![\w%]|\.\d|-\d\d-\d\d)"
"""A port-sized number that stands alone: not part of a word, a fraction, a version, a size or a date."""
ADDRESS = r"(?:[\w.\-*]*:|\[[^\]\s]*\]:)?"
"""What may stand before a port: nothing, `:`, `127.0.0.1:`, `[::1]:`."""
QUOTE = r"[\"']?"

FLAGS = (
    rf"--?[\w\-]*(?:port|listen|bind|addr|address|http|host)\b{QUOTE}[=\s,]\s*{QUOTE}{ADDRESS}{NUMBER}",
    rf"(?<![\w\-])-[pPlLb]\s?{QUOTE}{ADDRESS}{NUMBER}",
    rf"\b\w*PORT\w*{QUOTE}?\s*[:=]\s*{QUOTE}{NUMBER}",
    rf"-D[\w.\-]*port[\w.\-]*={NUMBER}",
    rf"\bhttp\.server{QUOTE},?\s+{QUOTE}{NUMBER}",
    rf"\brunserver{QUOTE},?\s+{QUOTE}{ADDRESS}{NUMBER}",
)
"""How commands say a port; any kind of file may hold a command."""

KEYED = (
    rf"(?:port|listen|bind|addr|host|url|https?|server|publish|expose|socket|endpoint)[^\n]{{0,80}}?{NUMBER}",
    rf"{NUMBER}[^\n]{{0,20}}?port\b",
)


class Strength(IntEnum):
    """How clearly a line speaks of a listening port."""

    BARE = 1
    """The number stands there."""
    KEYED = 2
    """Words around it speak of ports or addresses."""
    EXPLICIT = 3
    """A directive, key, argument or call that sets a port."""


class Mention(NamedTuple):
    """A line with the number: counted from 1, stripped, masked, at most 200 characters."""

    line: int
    text: str
    strength: Strength


def no_includes(_: str) -> tuple[str, ...]:
    """For files that lead to no others."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file.

    `files` are shell patterns for its path (a pattern without a slash is for its name); `explicit` are regular
    expressions for a line, each with the number as its only group; `comments` begin a line that does not count;
    `includes` finds the paths, possibly with globs, of further files in its text.
    """

    name: str
    files: tuple[str, ...]
    explicit: tuple[str, ...]
    comments: tuple[str, ...] = ("#",)
    includes: Callable[[str], tuple[str, ...]] = no_includes

    def handles(self, path: str) -> bool:
        """Whether a path is of this kind."""
        name = path.rsplit("/", 1)[-1]
        return any(fnmatchcase(path if "/" in pattern else name, pattern) for pattern in self.files)

    def mentions(self, text: str, port: int) -> tuple[Mention, ...]:
        """The lines that hold the port, strongest first, then from the top; of port 0 only the explicit."""
        found = list(self._found(text, port))
        found.sort(key=lambda one: (-one.strength, one.line))
        return tuple(found[:MOST_MENTIONS])

    def _found(self, text: str, port: int) -> Iterator[Mention]:
        number = str(port)
        grouped = f"{port:_}"
        for index, line in enumerate(text.split("\n", MOST_LINES)[:MOST_LINES], 1):
            if (number not in line and grouped not in line) or len(line) > LONGEST_LINE:
                continue
            stripped = line.strip()
            if stripped.startswith(self.comments):
                continue
            strength = self._strength(stripped, port)
            if strength is not None:
                yield Mention(index, mask(stripped, port)[:200], strength)

    def _strength(self, line: str, port: int) -> Strength | None:
        if _holds(self._explicit, line, port):
            return Strength.EXPLICIT
        if port == 0 or not _holds(_BARE, line, port):
            return None
        return Strength.KEYED if _holds(_KEYED, line, port) else Strength.BARE

    @cached_property
    def _explicit(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern, re.IGNORECASE) for pattern in (*self.explicit, *FLAGS))


_BARE = (re.compile(NUMBER),)
_KEYED = tuple(re.compile(pattern, re.IGNORECASE) for pattern in KEYED)


def _holds(patterns: tuple[re.Pattern[str], ...], line: str, port: int) -> bool:
    return any(found[1].replace("_", "") == str(port) for pattern in patterns for found in pattern.finditer(line))


def lines_after(*patterns: str) -> Callable[[str], tuple[str, ...]]:
    """Includes that are found by regular expressions with the path as their only group, line by line."""
    compiled: list[re.Pattern[str]] = []

    def find(text: str) -> tuple[str, ...]:
        if not compiled:
            compiled.extend(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns)
        found = [match[1].strip().strip("\"'") for pattern in compiled for match in pattern.finditer(text)]
        return tuple(dict.fromkeys(path for path in found if path and "\0" not in path))[:32]

    return find
