"""What is remembered of who lived on which port, and how it is written down.

A line each for (protocol, port, program, project), tab-separated, under a header:

    homeport-history 1
    tcp  3000  node  shop  /home/ada/shop  FIRST-SEEN  LAST-SEEN  STARTS  STARTED

Times are seconds since the epoch; STARTS counts the distinct starts that were seen, STARTED is the newest of them. The
bytes `%`, tab, line feed and carriage return are written as `%XX`. A line that does not fit this is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeport.lean import NamedTuple
from homeport.model.addresses import Protocol
from homeport.model.evidence import Evidence
from homeport.model.snapshot import Listener

HEADER = "homeport-history 1"
MAX_ENTRIES = 2000
MAX_CHARACTERS = 1 << 20
REFRESH_SECONDS = 3600
"""A sighting of what was seen less than this long ago is not worth a write."""

_MAX_FIELD = 4096
_SAME_START_SECONDS = 5  # the boot time that start times are counted from moves when the clock is set
_MAX_NUMBER = 1 << 40
_ESCAPES = str.maketrans({"%": "%25", "\t": "%09", "\n": "%0A", "\r": "%0D"})

History = Mapping[str, str]
"""The first five fields of a line -> the last four: decoded only where asked for, since every listing reads it."""


class Sighting(NamedTuple):
    """A program that listens now; `started` in seconds since the epoch."""

    protocol: Protocol
    port: int
    program: str
    project: str | None
    root: str | None
    started: int


class Visit(NamedTuple):
    """A program that was seen on a port, from `first_seen` to `last_seen`, started `starts` times that we know of."""

    program: str
    project: str | None
    root: str | None
    first_seen: int
    last_seen: int
    starts: int
    started: int


def parse(text: str) -> dict[str, str]:
    """The history in a file's text; empty if it is no history of ours."""
    head, _, body = text.partition("\n")
    if head != HEADER:
        return {}
    history = {}
    for line in body.split("\n"):
        fields = line.rsplit("\t", 4)
        if len(fields) == 5:
            history[fields[0]] = "\t".join(fields[1:])
    return history


def dump(history: History) -> str:
    """The text of a history: the newest `MAX_ENTRIES` entries that are sound, oldest first, in `MAX_CHARACTERS`."""
    sound = []
    for key, value in history.items():
        visit = _visit(key, value)
        if visit is not None:
            sound.append((visit.last_seen, f"{key}\t{value}\n"))
    sound.sort(reverse=True)
    lines: list[str] = []
    room = MAX_CHARACTERS - len(HEADER) - 1
    for _, line in sound[:MAX_ENTRIES]:
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    return f"{HEADER}\n{''.join(reversed(lines))}"


def sightings(listeners: Iterable[Listener], netns: int | None) -> list[Sighting]:
    """What can be remembered of these: the listeners of network namespace `netns` whose owner is known."""
    result = []
    for listener in listeners:
        socket = listener.socket
        if not listener.owners or not socket.is_listener or not socket.port:
            continue
        if netns is not None and socket.netns != netns:
            continue
        owner = listener.owners[0]
        process, project = owner.process, owner.project
        program = process.exe.rpartition("/")[2] if process.exe else process.name
        started = int(process.start_time.timestamp()) if process.start_time is not None else 0
        result.append(
            Sighting(
                socket.protocol,
                socket.port,
                program or process.name,
                project.name if project is not None else None,
                project.root if project is not None else None,
                started,
            )
        )
    return result


def updated(history: History, seen: Iterable[Sighting], now: int) -> dict[str, str] | None:
    """`history` with these sightings, or None where that says nothing new."""
    newest: dict[str, int] = {}
    for one in seen:
        key = _key(one)
        if key is not None:
            newest[key] = max(one.started, newest.get(key, 0))
    changes = {}
    for key, started in newest.items():
        value = history.get(key)
        visit = _visit(key, value) if value is not None else None
        if visit is None:
            changes[key] = f"{now}\t{now}\t1\t{started}"
        elif abs(started - visit.started) > _SAME_START_SECONDS:
            changes[key] = f"{visit.first_seen}\t{now}\t{visit.starts + 1}\t{started}"
        elif now - visit.last_seen >= REFRESH_SECONDS:
            changes[key] = f"{visit.first_seen}\t{now}\t{visit.starts}\t{visit.started}"
    return {**history, **changes} if changes else None


def visits(history: History, protocol: Protocol, port: int) -> list[Visit]:
    """Who was seen on a port, the last one first."""
    start = f"{protocol.value}\t{port}\t"
    found = [_visit(key, value) for key, value in history.items() if key.startswith(start)]
    return sorted((visit for visit in found if visit is not None), key=lambda visit: -visit.last_seen)


def usual(found: list[Visit], protocol: Protocol) -> tuple[Evidence, ...]:
    """Who was last seen there, and who was seen there more often, if that is somebody else."""
    if not found:
        return ()
    last, most = found[0], max(found, key=lambda visit: visit.starts)
    source = f"homeport's own history of {protocol.value} ports"
    said = [Evidence(source, f"last seen here: {_who(last)}, {_when(last.last_seen)}")]
    if most is not last and most.starts > last.starts:
        said.append(
            Evidence(source, f"more often: {_who(most)}, {most.starts} starts since {_when(most.first_seen, day=True)}")
        )
    return tuple(said)


def _who(visit: Visit) -> str:
    return visit.program if visit.project is None else f"{visit.program} of project {visit.project} ({visit.root})"


def _when(seconds: int, *, day: bool = False) -> str:
    from datetime import datetime

    try:
        moment = datetime.fromtimestamp(seconds).astimezone()
    except (OverflowError, ValueError, OSError):
        return "at an unknown time"  # a number from the file that is no time of this platform
    return moment.strftime("%Y-%m-%d" if day else "%Y-%m-%d %H:%M")


def _key(seen: Sighting) -> str | None:
    fields = (seen.program, seen.project or "", seen.root or "")
    if max(map(len, fields)) > _MAX_FIELD:
        return None
    return "\t".join((seen.protocol.value, str(seen.port), *(field.translate(_ESCAPES) for field in fields)))


def _visit(key: str, value: str) -> Visit | None:
    names, numbers = key.split("\t"), value.split("\t")
    if len(names) != 5 or len(numbers) != 4 or not names[2] or "\r" in key:
        return None
    if not all(number.isascii() and number.isdigit() and len(number) < 14 for number in numbers):
        return None
    first, last, starts, started = map(int, numbers)
    if max(first, last, starts, started) > _MAX_NUMBER:
        return None
    program, project, root = map(_unescaped, names[2:])
    return Visit(program, project or None, root or None, first, last, starts, started)


def _unescaped(text: str) -> str:
    if "%" not in text:
        return text
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%09", "\t").replace("%25", "%")
