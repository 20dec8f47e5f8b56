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
_LONGEST_INCLUDE = 1_000

NUMBER = r"(?<![\w.$])(\d[\d_]{0,6})(?![\w%]|\.\d|-\d\d-\d\d|-[A-Za-z])"
"""A port-sized number that stands alone: not part of a word, a fraction, a version, a size or a date."""
ADDRESS = r"(?:[\w.\-*]*:|\[[^\]\s]*\]:)?"
"""What may stand before a port: nothing, `:`, `127.0.0.1:`, `[::1]:`."""
QUOTE = r"[\"']?"

FLAGS = (
    rf"(?<![\w\-])--?[\w\-]{{0,40}}(?:port|listen|bind|addr|address|http|host)\b{QUOTE}[=\s,]\s*{QUOTE}{ADDRESS}{NUMBER}",
    rf"(?<![\w\-])-[pPlLb]\s?{QUOTE}{ADDRESS}{NUMBER}",
    rf"\b\w{{0,40}}PORT\w{{0,40}}{QUOTE}?\s*[:=]\s*{QUOTE}{NUMBER}",
    rf"(?<![\w\-])-D[\w.\-]{{0,60}}port[\w.\-]{{0,40}}={NUMBER}",
    rf"\bhttp\.server{QUOTE},?\s+{QUOTE}{NUMBER}",
    rf"\brunserver{QUOTE},?\s+{QUOTE}{ADDRESS}{NUMBER}",
    rf"\bPORT:?-{NUMBER}\}}",
    rf"(?<![\w\-])-S\s+[\w.\-]+:{NUMBER}",
)
"""How commands say a port; any kind of file may hold a command."""

KEYED = (
    rf"(?:port|listen|bind|addr|host|url|https?|server|publish|expose|socket|endpoint)[^\n]{{0,80}}?{NUMBER}",
    rf"{NUMBER}[^\n]{{0,20}}?port\b",
)


_NOISE = re.compile(
    r"""(?x) \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b  # UUIDs
    | (?<![\w.:])[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?  # IPv6
    | (?<![\w.:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}
    | \b\w{0,40}(?:im|sup|trans|re|pass|view)port(?:s|ed|er|ers|ing|ant|able)?\b | \bexports\b  # other words
    """,
    re.IGNORECASE,
)
_CLIENT = re.compile(
    r"(?:^|[\s;&|\"'`(@])(?:ssh|scp|sftp|rsync|psql|pg_\w+|mysqladmin|mysqldump|mysql|curl|wget|redis-cli|mkdir|telnet"
    r"|wait-on|wait-port|kill-port|lsof|fuser|nmap)\s"
)
"""Commands whose port is that of somebody else."""


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
    expressions for a line, each with the number as its only group; `comments` begin a line that does not count,
    `blocks` begin and end many; `includes` finds the paths, possibly with globs, of further files in its text; `zero`:
    port 0 asks for the kernel's choice here.
    """

    name: str
    files: tuple[str, ...]
    explicit: tuple[str, ...]
    comments: tuple[str, ...] = ("#",)
    blocks: tuple[tuple[str, str], ...] = ()
    includes: Callable[[str], tuple[str, ...]] = no_includes
    zero: bool = True

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
        if port == 0 and not self.zero:
            return
        number = str(port)
        grouped = f"{port:_}"
        for index, line in self._code(text):
            if (number not in line and grouped not in line) or len(line) > LONGEST_LINE:
                continue
            stripped = line.strip()
            if stripped.startswith(self.comments) and not stripped.startswith("#define "):
                continue
            said = self._trailing.sub("", stripped)
            strength = self._strength(_NOISE.sub(_blank, said), port)
            if strength is not None:
                yield Mention(index, mask(stripped, port)[:200], strength)

    def _code(self, text: str) -> Iterator[tuple[int, str]]:
        """Lines, counted from 1, outside of comments that go over several."""
        until = None
        for index, line in enumerate(text.split("\n", MOST_LINES)[:MOST_LINES], 1):
            if until is not None:
                until = None if until in line else until
                continue
            start = line.lstrip()[:8] if self.blocks else ""
            block = next((block for block in self.blocks if start.startswith(block[0])), None)
            if block is None:
                yield index, line
            elif block[1] not in line.lstrip()[len(block[0]) :]:
                until = block[1]

    def _strength(self, line: str, port: int) -> Strength | None:
        if _holds(self._explicit, line, port):
            return Strength.KEYED if _CLIENT.search(line) else Strength.EXPLICIT
        if port == 0 or not _holds(_BARE, line, port):
            return None
        return Strength.KEYED if _holds(_KEYED, line, port) else Strength.BARE

    @cached_property
    def _explicit(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern, re.IGNORECASE) for pattern in (*self.explicit, *FLAGS))

    @cached_property
    def _trailing(self) -> re.Pattern[str]:
        marks = [mark for mark in self.comments if mark in ("#", "//")]
        return re.compile(rf"\s(?:{'|'.join(marks)})\s.*$" if marks else r"(?!)")


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"\w", "x", found[0])


_BARE = (re.compile(NUMBER),)
_KEYED = tuple(re.compile(pattern, re.IGNORECASE) for pattern in KEYED)


def _holds(patterns: tuple[re.Pattern[str], ...], line: str, port: int) -> bool:
    return any(found[1].replace("_", "") == str(port) for pattern in patterns for found in pattern.finditer(line))


def lines_after(*patterns: str) -> Callable[[str], tuple[str, ...]]:
    """Includes that are found by regular expressions with the path as their only group, line by line."""
    compiled: list[re.Pattern[str]] = []

    def find(text: str) -> tuple[str, ...]:
        if not compiled:
            compiled.extend(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
        # never the text as a whole: of a megabyte of empty lines a leading \s* would read each again and again
        lines = [line[:_LONGEST_INCLUDE] for line in text.split("\n", MOST_LINES)[:MOST_LINES]]
        matches = (match for pattern in compiled for line in lines for match in pattern.finditer(line))
        found = [match[1].strip().strip("\"'") for match in matches]
        return tuple(dict.fromkeys(path for path in found if path and "\0" not in path))[:32]

    return find
