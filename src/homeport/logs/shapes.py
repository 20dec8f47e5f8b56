"""Errors grouped by shape: messages that differ in numbers, ids, addresses, times and quoted strings alone are one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from homeport.model.logs import ErrorGroup, Level, LogLine

MOST_SHAPES = 2000
"""Different shapes that are kept; what comes after is counted as one."""
_LONGEST = 500
_OTHER = "(other messages: more shapes than are kept)"

_REPLACED = (
    (re.compile(r'"(?:[^"\\]|\\.){0,400}"'), '"…"'),
    (re.compile(r"(?<!\w)'(?:[^'\\\n]|\\.){0,400}'(?!\w)"), "'…'"),
    (re.compile(r"`[^`\n]{0,200}`"), "`…`"),
    (re.compile(r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.])"), "<address>"),
    (re.compile(r"\[[0-9a-fA-F:.%]*:[0-9a-fA-F:.%\w]*\](?::\d{1,5})?"), "<address>"),
    (re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?![\w:])"), "<address>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<id>"),
    (re.compile(r"(?<![\w-])(?=[\w-]{0,63}\d)(?=[\w-]{0,63}[a-fA-F])[0-9a-fA-F][0-9a-fA-F-]{7,63}(?![\w-])"), "<id>"),
    (re.compile(r"(?<![\w])(?=\w{0,63}\d)(?=\w{0,63}[A-Za-z])\w{20,64}(?!\w)"), "<id>"),
    (re.compile(r"(?<!HTTP )(?<![A-Za-z_\d])[+-]?\d+(?:[.,]\d+)*"), "<n>"),
)


def shape(message: str) -> str:
    """The message with what changes from one time to the next replaced; its first line, at most 500 characters."""
    text = message.strip().split("\n", 1)[0][: _LONGEST * 2]
    for pattern, word in _REPLACED:
        text = pattern.sub(word, text)
    return " ".join(text.split())[:_LONGEST]


class Groups:
    """Counts errors and warnings by shape, in bounded memory."""

    def __init__(self) -> None:
        self._found: dict[str, ErrorGroup] = {}

    def add(self, line: LogLine) -> None:
        """Count an entry; those of other levels, or of none, are passed over."""
        if line.level is None or line.level.rank < Level.WARNING.rank:
            return
        one = ErrorGroup(
            shape=shape(line.message), level=line.level, count=1, first=line.time, last=line.time, example=line.text,
            sources=(line.source,),
        )  # fmt: skip
        self._add(one)

    def merge(self, other: Groups) -> None:
        """Take in the groups of another source."""
        for one in other._found.values():
            self._add(one)

    def _add(self, one: ErrorGroup) -> None:
        key = one.shape if one.shape in self._found or len(self._found) < MOST_SHAPES else _OTHER
        known = self._found.get(key)
        if known is None:
            self._found[key] = one if key == one.shape else replace(one, shape=key)
            return
        last = max(_known(known.last, one.last), default=None)
        self._found[key] = ErrorGroup(
            shape=key,
            level=max(known.level, one.level, key=lambda each: each.rank),
            count=known.count + one.count,
            first=min(_known(known.first, one.first), default=None),
            last=last,
            example=one.example if last == one.last else known.example,
            sources=tuple(dict.fromkeys((*known.sources, *one.sources))),
        )

    def groups(self) -> tuple[ErrorGroup, ...]:
        """The groups: the worst first, then the most frequent."""
        return tuple(sorted(self._found.values(), key=lambda one: (-one.level.rank, -one.count, one.shape)))


def _known(*times: datetime | None) -> list[datetime]:
    return [one for one in times if one is not None]
