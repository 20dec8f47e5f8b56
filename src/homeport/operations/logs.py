"""`homeport logs`: what the owner of an address logged, and where.

An address leads to listeners, those to their owners, these to places (`logs.places`), places to lines, lines to entries
(`logs.formats`). What is looked at is bounded: see `MOST_LOOKED_AT`, `system.log_reading.FARTHEST` and `seconds`.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from homeport.logs.entries import Assembler
from homeport.logs.formats import reader
from homeport.logs.places import Candidate, Facts, candidates
from homeport.logs.places.kind import OfFile, Reading
from homeport.logs.shapes import Groups
from homeport.model.evidence import Evidence
from homeport.model.logs import Level, LogLine, Logs, LogSource, LogWish
from homeport.model.owners import Container, Owner, Process, Reason, Unit
from homeport.model.snapshot import Listener, Query
from homeport.operations.ls import look
from homeport.operations.scene import residents, survey
from homeport.rules.masking import mask
from homeport.rules.naming import label
from homeport.system import conditions, log_places, procfs
from homeport.system.log_feeds import open_feed, outputs
from homeport.system.log_reading import Feed
from homeport.system.matching import Pattern
from homeport.system.publishing import Publishing

SECONDS = 6.0
"""For reading everything that is wanted, of all sources."""
FIRST = 200
"""Lines of a source that are looked at beyond those wanted, for the heads of entries."""
STEP = 10
"""How many times more lines the next look takes, where one was not enough."""
MOST_LOOKED_AT = 400_000
"""Lines of one source that are looked at."""
MOST_FOR_ERRORS = 50_000
"""Lines of one source that errors are taken from where no time is given."""
MOST_SOURCES = 64
MOST_MASKED = 50
"""Lines of an entry that a page or a diagnosis is given."""
TOLD_SECONDS, TOLD_TICK = 1.0, 0.05
"""How long, and how often, those are looked for that were told a port where nothing listens."""
OUT_OF_ORDER = timedelta(minutes=1)
"""How much later than the next entry of its source one may say to be, and yet be put before it."""


class Subject(NamedTuple):
    """Whose logs: the processes that own the address, and what they belong to. `denied`: others may not be seen."""

    owners: tuple[Process, ...]
    unit: Unit | None
    container: Container | None
    hints: tuple[str, ...]
    limits: tuple[str, ...]
    denied: bool


class Open(NamedTuple):
    """A source with what reads it; None where it cannot be read."""

    source: LogSource
    feed: Feed | None


def logs(text: str, wish: LogWish, source: str | None = None) -> Logs:
    """What the owners of an address logged. Raises AddressError, UsageError (for `grep`) and SourceError."""
    with_pattern = None if wish.grep is None else Pattern(wish.grep)
    subject = subject_of(text, source, or_told=True)
    opened, limits = opened_sources(subject)
    try:
        return answer(text, subject, opened, limits, wish, with_pattern)
    finally:
        close(opened)


def recent(
    listener: Listener,
    *,
    most: int = 50,
    errors_only: bool = False,
    since: datetime | None = None,
    seconds: float = 0.5,
) -> Logs:
    """What the owner of a listener logged last, with secrets masked; bounded in time, and it raises nothing.

    `errors_only`: only errors and worse, and their groups.
    """
    subject = _of_owners(listener.owners, (), ())
    opened, limits = opened_sources(subject)
    wish = LogWish(most=most, since=since, level=Level.ERROR if errors_only else None, errors=errors_only)
    try:
        found = answer("", subject, opened, limits, wish, None, seconds)
    finally:
        close(opened)
    lines = tuple(replace(one, text=_masked(one.text), message=_masked(one.message)) for one in found.lines)
    groups = tuple(replace(one, shape=_masked(one.shape), example=_masked(one.example)) for one in found.groups)
    return replace(found, lines=lines, groups=groups)


def _masked(text: str) -> str:
    lines = text.split("\n")
    if len(lines) > MOST_MASKED:  # what a traceback ends with is what it says
        lines = [*lines[: MOST_MASKED - 1], lines[-1]]
    return "\n".join(mask(line) for line in lines)


def subject_of(text: str, source: str | None = None, *, or_told: bool = False) -> Subject:
    """Whose logs an address asks for; `hints` say why there is nobody.

    `or_told`: where nothing listens, those of processes that were told to use the port.
    """
    scene = survey(text, source)
    found = residents(scene)
    limits = scene.snapshot.limits
    if found:
        owners = tuple(one for each in found for one in each.owners)
        hidden = [one.unattributed for one in found if one.unattributed is not None]
        subject = _of_owners(owners, tuple(one.detail for one in hidden), limits)
        return subject._replace(denied=any(one.reason is Reason.OTHER_USER for one in hidden))
    for one in Publishing().published_ports() if scene.endpoint.port else ():
        asked = not scene.here or one.host_address in (None, *scene.here)
        if one.host_port == scene.endpoint.port and one.protocol in scene.protocols and one.container and asked:
            query = Query(frozenset((one.protocol,)), frozenset((one.target_port or 0,)))
            inside = [owner for each in look(query, source).listeners for owner in each.owners]
            owners = tuple(each for each in inside if each.container and each.container.id == one.container.id)
            return _of_owners(owners, (), limits)._replace(container=one.container)
    port = scene.endpoint.port
    told = _told(port) if or_told and port and not scene.away else ()
    hint = f"nothing listens at {text}"
    if told:
        names = ", ".join(f"{label(one)} ({one.pid})" for one in told[:3])
        hint += f": the lines are those of what was told to use it: {names}"
    return Subject(told, None, None, (hint,), limits, False)


def _told(port: int) -> tuple[Process, ...]:
    """Processes that were told to use a port; looked for again for a moment, since they may end and come back."""
    deadline = time.monotonic() + TOLD_SECONDS
    while not (found := conditions.claims(port)) and time.monotonic() < deadline:
        time.sleep(TOLD_TICK)
    return tuple(one.process for one in found)


def _of_owners(owners: Sequence[Owner], hints: tuple[str, ...], limits: tuple[str, ...]) -> Subject:
    processes = {one.process.pid: one.process for one in owners}
    unit = next((one.unit for one in owners if one.unit is not None), None)
    container = next((one.container for one in owners if one.container is not None), None)
    return Subject(tuple(processes.values()), unit, container, hints, limits, False)


def opened_sources(
    subject: Subject, known: set[object] | None = None, followed: Callable[[Reading], bool] = lambda _: False
) -> tuple[list[Open], list[str]]:
    """The sources of a subject, opened where they can be, with what could not be seen in a line each.

    `known` are the keys of sources that are open already: those are left out, and the new ones added to it. So is
    what `followed` says of that it is read already.
    """
    if not subject.owners and subject.container is None:
        return [], []
    facts = log_places.gather(subject.owners, subject.unit, subject.container)
    found: list[Open] = []
    seen = set() if known is None else known
    unread: frozenset[object] = frozenset() if known is None else outputs()
    for one in candidates(facts)[:MOST_SOURCES]:
        if one.reading is not None and followed(one.reading):
            continue
        opened = _opened(one, seen, unread)
        if opened is not None:
            found.append(opened)
    return _labelled(found), _closed_to_us(facts)


def _closed_to_us(facts: Facts) -> list[str]:
    closed = [one for one in facts.members if one.descriptors is None and procfs.start_ticks(one.process.pid)]
    if not closed:
        return []
    names = ", ".join(f"{one.process.pid} ({one.program})" for one in closed[:4])
    more = f" and {len(closed) - 4} more" if len(closed) > 4 else ""
    owner = closed[0].process.user or closed[0].process.uid
    return [f"the open files of {names}{more}, run by {owner}, may not be read: run with sudo"]


def _opened(one: Candidate, seen: set[object], unread: frozenset[object]) -> Open | None:
    """A candidate as a source; None for one that is there already, by this or another name. `unread` are not read."""
    reason, denied, feed = one.reason, False, None
    if one.reading is not None:
        try:
            feed = open_feed(one.reading)
        except PermissionError:
            reason, denied = "permission denied", True
        except FileNotFoundError:
            reason = "there is no such file"
        except OSError as error:
            reason = error.strerror or str(error)
    key: object = getattr(feed, "identity", None) or _key(one)
    if key in seen:
        if feed is not None:
            feed.close()
        return None
    seen.add(key)
    if feed is not None and key in unread:
        feed.close()
        feed, reason = None, "this command writes there itself: its own lines would come again and again"
    return Open(_source(one, reason, denied, getattr(feed, "size", None), feed is not None), feed)


def _key(one: Candidate) -> object:
    """What makes a place the same as another: what is read, a file by its path whoever has it open."""
    if isinstance(one.reading, OfFile):
        return one.reading.path
    return one.reading if one.reading is not None else (one.kind, one.what, one.reason)


def _source(one: Candidate, reason: str | None, denied: bool, size: int | None, readable: bool) -> LogSource:
    return LogSource(
        kind=one.kind,
        label=one.label,
        what=one.what,
        readable=readable,
        reason=reason,
        evidence=tuple(Evidence(each.source, mask(each.text)) for each in one.evidence),
        remedy="run with sudo" if denied and os.geteuid() != 0 else one.remedy,
        size=size,
        denied=denied,
    )


def _labelled(some: list[Open]) -> list[Open]:
    taken: set[str] = set()
    return [relabelled(one, taken) for one in some]


def relabelled(one: Open, taken: set[str]) -> Open:
    """A source with a label that is not taken: with the folder before its name, else a number. Takes it."""
    label, what = one.source.label, one.source.what
    if label in taken and what is not None and what == f"{what.rpartition('/')[0]}/{label}":
        label = "/".join(what.rsplit("/", 2)[-2:])
    base, number = label, 2
    while label in taken:
        label, number = f"{base} ({number})", number + 1
    taken.add(label)
    return one._replace(source=replace(one.source, label=label))


def close(opened: Iterable[Open]) -> None:
    """Let go of what was opened."""
    for one in opened:
        if one.feed is not None:
            one.feed.close()


def answer(
    asked: str,
    subject: Subject,
    opened: Sequence[Open],
    limits: Sequence[str],
    wish: LogWish,
    pattern: Pattern | None,
    seconds: float = SECONDS,
) -> Logs:
    """The last lines of the opened sources, in the order of their times."""
    now = datetime.now(UTC)
    said = list(dict.fromkeys((*subject.limits, *limits)))
    found: list[tuple[Sequence[LogLine], datetime]] = []
    groups = Groups() if wish.errors else None
    readable = [one for one in opened if one.feed is not None and not wish.sources_only]
    deadline = time.monotonic() + seconds
    for number, one in enumerate(readable):
        share = (deadline - time.monotonic()) / (len(readable) - number)
        search = Search(one, wish, pattern, now, time.monotonic() + share)
        lines, limit = search.run()
        if limit is not None:
            said.append(limit)
        if search.timeless:
            count = f"{search.timeless:,} entr{'y' if search.timeless == 1 else 'ies'}"
            said.append(f"{one.source.label}: --since left out {count} without a time")
        if groups is not None:
            groups.merge(search.groups)
        if lines:
            found.append((lines, _last_change(one)))
    readable_ones = [one for one in opened if one.feed is not None]
    return Logs(
        asked=asked,
        taken_at=now,
        sources=tuple(one.source for one in opened),
        lines=tuple(in_order(found)[-wish.most :]) if wish.most else (),
        groups=() if groups is None else groups.groups(),
        hints=subject.hints if readable_ones else (*subject.hints, *_where_to_look(subject, opened)),
        limits=tuple(said),
        denied=subject.denied or any(one.source.denied for one in opened) or (bool(limits) and not readable_ones),
    )


def _where_to_look(subject: Subject, opened: Sequence[Open]) -> list[str]:
    """Where one would look for logs, for an owner of which none can be read."""
    if not subject.owners:
        return []
    names = ", ".join(f"{one.pid} ({one.name})" for one in subject.owners[:3])
    if opened:
        return [f"no log of {names} can be read: each source says why"]
    return [
        f"process {names} has no log file open, no standard output that leads to one, no unit, no container, and no "
        "configuration that names a log"
    ]


def in_order(parts: Sequence[tuple[Sequence[LogLine], datetime]]) -> list[LogLine]:
    """The entries of several sources by time, each source in its own order; with each, when it was written to last.

    An entry without a time goes with the next that has one, and so does one that is a little later than the next: some
    lines tell fractions of seconds, others do not. A greater step back is taken at its word.
    """
    if len(parts) == 1:
        return list(parts[0][0])
    found: list[tuple[datetime, int, int, LogLine]] = []
    for number, (lines, after) in enumerate(parts):
        following = after
        for index in range(len(lines) - 1, -1, -1):
            moment = lines[index].time
            if moment is None or timedelta(0) < moment - following < OUT_OF_ORDER:
                moment = following
            following = moment
            found.append((moment, number, index, lines[index]))
    found.sort(key=lambda each: each[:3])
    return [line for *_, line in found]


def _last_change(one: Open) -> datetime:
    modified = getattr(one.feed, "modified", None)
    return datetime.now(UTC) if modified is None else datetime.fromtimestamp(modified, UTC)


class Pass(NamedTuple):
    """What one look at the end of a log found.

    `oldest`: the time of its first entry; `late`: time was up; `timeless`: how many entries only lacked a time.
    """

    lines: list[LogLine]
    oldest: datetime | None
    looked: int
    late: bool
    groups: Groups
    complete: bool = False
    timeless: int = 0


class Search:
    """Looks through one source backwards, in steps that grow, until there is enough or the bounds are reached."""

    def __init__(self, one: Open, wish: LogWish, pattern: Pattern | None, now: datetime, deadline: float) -> None:
        self._open = one
        self._wish = wish
        self._pattern = pattern
        self._now = now
        self._deadline = deadline
        self.groups = Groups()
        self.timeless = 0

    def run(self) -> tuple[list[LogLine], str | None]:
        """The last entries that are wanted, and how far back was looked, where that is not all."""
        wish = self._wish
        most = MOST_FOR_ERRORS if wish.errors and wish.since is None else MOST_LOOKED_AT
        step = wish.most + FIRST
        best = Pass([], None, 0, False, Groups())
        while True:
            try:
                found = self._pass(step)
            except OSError as error:  # it went away, or an error of the disk
                return best.lines, f"{self._open.source.label}: {error.strerror or error}"
            if found.late and best.looked:  # the end of the log was seen already, this is only farther back
                break
            best = found
            reached = wish.since is not None and best.oldest is not None and best.oldest < wish.since
            if best.complete or reached:
                self.groups, self.timeless = best.groups, best.timeless
                return best.lines, None
            enough = len(best.lines) >= wish.most and wish.since is None and not wish.errors
            if enough or not self._narrow or found.late or step >= most:
                break
            step = min(step * STEP, most)
        self.groups, self.timeless = best.groups, best.timeless
        if not self._narrow or (len(best.lines) >= wish.most and wish.since is None and not wish.errors):
            return best.lines, None
        since = "" if best.oldest is None else f", those since {best.oldest.astimezone().strftime('%Y-%m-%d %H:%M:%S')}"
        return best.lines, f"{self._open.source.label}: only its last {best.looked:,} lines were looked at{since}"

    @property
    def _narrow(self) -> bool:
        wish = self._wish
        return wish.level is not None or self._pattern is not None or wish.errors or wish.since is not None

    def _pass(self, lines: int) -> Pass:
        """What is wanted of the last lines."""
        assert self._open.feed is not None  # noqa: S101
        text, complete = self._open.feed.last(lines)
        kept: deque[LogLine] = deque(maxlen=max(self._wish.most, 1))
        groups = Groups()
        assembler = Assembler(self._open.source.label, reader(self._now))
        oldest: datetime | None = None
        looked = timeless = 0
        anytime = replace(self._wish, since=None)
        for entry in _entries(assembler, text):
            oldest = oldest or entry.time
            looked += entry.text.count("\n") + 1
            if self.wanted(entry):
                kept.append(entry)
                if self._wish.errors:
                    groups.add(entry)
            elif entry.time is None and wanted(entry, anytime, self._pattern):
                timeless += 1
            if time.monotonic() > self._deadline:
                return Pass(list(kept), oldest, looked, True, groups, timeless=timeless)
        return Pass(list(kept), oldest, looked, False, groups, complete, timeless)

    def wanted(self, entry: LogLine) -> bool:
        """Whether an entry is one that was asked for."""
        return wanted(entry, self._wish, self._pattern)


def wanted(entry: LogLine, wish: LogWish, pattern: Pattern | None) -> bool:
    """Whether an entry is one that was asked for; one without a level is of no level."""
    if wish.since is not None and (entry.time is None or entry.time < wish.since):
        return False
    least = wish.level if wish.level is not None else Level.WARNING if wish.errors else None
    if least is not None and (entry.level is None or entry.level.rank < least.rank):
        return False
    return pattern is None or any(pattern.found_in(line) for line in entry.text.split("\n"))


def _entries(assembler: Assembler, lines: Iterable[str]) -> Iterator[LogLine]:
    for line in lines:
        yield from assembler.feed(line)
    yield from assembler.flush()
