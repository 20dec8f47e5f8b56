"""`homeport logs --follow`: what is added to the logs, for as long as anybody wants to see it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from homeport.errors import HomeportError
from homeport.logs.entries import Assembler
from homeport.logs.formats import reader
from homeport.logs.places.kind import OfFile
from homeport.model.logs import LogLine, Logs, LogSource, LogWish
from homeport.operations import logs as operation
from homeport.operations.logs import Open, Subject
from homeport.system import procfs
from homeport.system.log_reading import FileLog
from homeport.system.matching import Pattern

PAUSE = 0.2
"""Seconds between two looks at the sources."""
LOOK_AGAIN = 2.0
"""Seconds between two looks at the owners, and for files that they have opened since."""
MOST_OF_NEW = 200_000
"""Lines that are shown of a file that was made since the last look."""


class Notice(NamedTuple):
    """Something that happened to a source or an owner, as a phrase."""

    text: str


Event = LogLine | LogSource | Notice


class Following:
    """The logs of an address from now on. Raises as `logs` does."""

    def __init__(self, text: str, wish: LogWish, source: str | None = None) -> None:
        self._since = datetime.now(UTC) - timedelta(seconds=2)
        self._text = text
        self._wish = wish
        self._source = source
        self._pattern = None if wish.grep is None else Pattern(wish.grep)
        self._subject = operation.subject_of(text, source)
        self._known: set[object] = set()
        self._open, limits = operation.opened_sources(self._subject, self._known)
        self._assemblers = {one.source.label: self._assembler(one) for one in self._open}
        self._next_look = time.monotonic() + LOOK_AGAIN
        self._gone = False
        self.first: Logs = operation.answer(text, self._subject, self._open, limits, wish, self._pattern)

    def poll(self) -> list[Event]:
        """What happened since the last call; never waits."""
        found: list[Event] = []
        parts: list[tuple[list[LogLine], datetime]] = []
        now = datetime.now(UTC)
        for one in self._open:
            if one.feed is None:
                continue
            assembler = self._assemblers[one.source.label]
            more = self._more(one)
            lines = [entry for line in more for entry in assembler.feed(line)]
            if not more:  # nothing continues the last entry by now
                lines += assembler.flush()
            if wanted := [each for each in lines if self._fits(each)]:
                parts.append((wanted, now))
            found += [Notice(f"{one.source.label} {note}") for note in one.feed.notes]
            one.feed.notes.clear()
        found += operation.in_order(parts) if parts else []
        if self._is_left() or time.monotonic() >= self._next_look:
            found += self._look_again()
            self._next_look = time.monotonic() + LOOK_AGAIN
        return found

    @property
    def is_behind(self) -> bool:
        """Whether there is more to read at once."""
        return any(getattr(one.feed, "behind", False) for one in self._open)

    def close(self) -> None:
        """Let go of all sources."""
        operation.close(self._open)
        self._open = []

    def _is_left(self) -> bool:
        """Whether a writer has gone over to another file, as at midnight: that one is looked for without delay."""
        left = [one.feed.was_left() for one in self._open if isinstance(one.feed, FileLog)]  # each is asked
        return any(left)

    @staticmethod
    def _assembler(one: Open) -> Assembler:
        return Assembler(one.source.label, reader(datetime.now(UTC)))

    @staticmethod
    def _more(one: Open) -> list[str]:
        try:
            return [] if one.feed is None else one.feed.more()
        except OSError:  # an error of the disk or of a file server: the next look may get on
            return []

    def _look_again(self) -> list[Event]:
        """Whether the owners still run, who holds the address after them, and what they log to by now."""
        found: list[Event] = []
        alive = [one for one in self._subject.owners if procfs.start_ticks(one.pid) == one.start_ticks]
        if not alive and self._subject.owners:
            if not self._gone:
                names = ", ".join(f"{one.name} ({one.pid})" for one in self._subject.owners[:4])
                found.append(Notice(f"{names} has ended"))
                self._gone = True
            after = self._successor()
            if after is None:
                return found
            names = ", ".join(f"{one.name} ({one.pid})" for one in after.owners[:4])
            found.append(Notice(f"{self._text} is held by {names} now"))
            self._subject, self._gone = after, False
        return found + self._opened()

    def _successor(self) -> Subject | None:
        try:
            after = operation.subject_of(self._text, self._source)
        except HomeportError:  # no source answers at the moment: the next look asks again
            return None
        return after if after.owners else None

    def _is_followed(self, reading: object) -> bool:
        """Whether a file was only put in the place of one that is read, whose feed finds it by itself."""
        return isinstance(reading, OfFile) and any(
            one.feed.covers(reading.path, reading.root) for one in self._open if isinstance(one.feed, FileLog)
        )

    def _opened(self) -> list[Event]:
        """Sources that were not there before; a file that took another one's place is known by its feed."""
        for one in self._open:
            identity = getattr(one.feed, "identity", None)
            if identity is not None:
                self._known.add(identity)
        opened, _ = operation.opened_sources(self._subject, self._known, self._is_followed)
        taken = {one.source.label for one in self._open}
        fresh = [operation.relabelled(one, taken) for one in opened]
        said: list[Event] = []
        if fresh:  # what was written to other files before comes before
            said += [each for one in self._assemblers.values() for each in one.flush() if self._fits(each)]
        self._open += fresh
        self._assemblers |= {one.source.label: self._assembler(one) for one in fresh}
        for one in fresh:
            said.append(one.source)
            if one.feed is not None and one.source.size is not None:
                lines, _ = one.feed.last(MOST_OF_NEW)  # what was written to it since the last look
                assembler = self._assemblers[one.source.label]
                entries = [entry for line in lines for entry in assembler.feed(line)]
                said += [each for each in entries if (each.time or self._since) >= self._since and self._fits(each)]
        return said

    def _fits(self, entry: LogLine) -> bool:
        return operation.wanted(entry, self._wish, self._pattern)
