"""What an entry of the rack of formats is made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from homeport.model.logs import Level

DIGITS = "0123456789"
LONGEST = 4096
"""Characters of a line that the formats (but JSON) look at."""


class Parsed(NamedTuple):
    """What a line says. `attached`: it belongs to the entry before it, whatever its time (PostgreSQL's DETAIL).

    `partial`: the line goes on in the next one (the `P` of containers' logs).
    """

    time: datetime | None
    level: Level | None
    message: str
    attached: bool = False
    stream: str | None = None
    text: str | None = None
    """What to show in place of the line, where the line is only an envelope; None: the line itself."""
    partial: bool = False
    whole: bool = False
    """Show the line with its envelope, which a person can read."""
    unclosed: bool = False
    """A quoted field goes on in the next lines, until a line with an odd number of quotes (PostgreSQL's csvlog)."""


class Context(NamedTuple):
    """`now` for times without a year or a date; `inner` reads what an envelope holds, by all of the formats."""

    now: datetime
    inner: Callable[[str], Parsed | None]


class Format(NamedTuple):
    """A way to write lines. `parse` answers None for a line that is written otherwise.

    `starts`: the characters that a line of it may begin with; empty: any.
    """

    name: str
    parse: Callable[[str, Context], Parsed | None]
    starts: str = ""


def enveloped(text: str, time: datetime | None, context: Context, *, stream: str | None = None) -> Parsed:
    """A line that was written by a program and wrapped with a time by another one."""
    inside = context.inner(text)
    if inside is None:
        return Parsed(time, None, text, stream=stream, text=text)
    return inside._replace(time=time or inside.time, stream=stream or inside.stream, text=text)
