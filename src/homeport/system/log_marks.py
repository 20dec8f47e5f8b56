"""Searches files for lines that name a process by its pid: a syslog daemon's, and logs that are opened line by line."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator

from homeport.logs.places.kind import Marked, Member
from homeport.system.reading import open_inside

_NAMES = ("syslog", "messages", "auth.log", "secure", "daemon.log", "mail.log", "maillog", "user.log")
SYSLOGS = tuple(f"/var/log/{name}" for name in _NAMES)
"""Where syslog daemons keep lines, the general ones first."""
_TAIL = 1 << 18
_OWN_TAIL = 1 << 14
_MOST_FILES = 200
_TAGGED = re.compile(rb"[ /]([\w.@-]{1,48})\[(\d{1,10})\]: ")
_ONE_BY_ONE = {
    "redis-server": rb"(?m)^%d:[A-Z] .{0,200}",
    "redis-check-rdb": rb"(?m)^%d:[A-Z] .{0,200}",
    "valkey-server": rb"(?m)^%d:[A-Z] .{0,200}",
}
"""Programs that open their log for each line, and how such a line begins: with their pid."""


def marked(members: Iterable[Member]) -> Iterator[Marked]:
    """The files in which lines name one of the processes."""
    some = tuple(members)
    for member in some:
        pattern = _ONE_BY_ONE.get(member.program)
        if pattern is not None and member.process.cwd is not None:
            yield from _in_folder(member, member.process.cwd, re.compile(pattern % member.process.pid))
    names = {one.process.pid: {one.process.name, one.program[:15]} for one in some if one.root is None}
    for path in SYSLOGS if names else ():
        tail = _tail(None, path, _TAIL) or b""
        found = {}
        for one in _TAGGED.finditer(tail):  # the last line of each tag
            tag = one[1].decode("ascii", "replace")
            if tag[:15] in names.get(int(one[2]), ()):
                found[tag] = tail[tail.rfind(b"\n", 0, one.start()) + 1 : one.end() + 100]
        yield from (Marked(path, None, tag, _line(line)) for tag, line in found.items())


def _in_folder(member: Member, folder: str, pattern: re.Pattern[bytes]) -> Iterator[Marked]:
    try:
        names = sorted(os.listdir(f"{member.root or ''}{folder}"))[:_MOST_FILES]
    except OSError:  # gone, or closed to the caller
        return
    for name in names:
        path = os.path.join(folder, name)
        found = pattern.search(_tail(member.root, path, _OWN_TAIL) or b"")
        if found is not None:
            yield Marked(path, member.root, None, _line(found[0]))


def _line(text: bytes) -> str:
    return text.split(b"\n")[0].decode("utf-8", "replace")[:120]


def _tail(root: str | None, path: str, most: int) -> bytes | None:
    try:
        descriptor = open_inside(root, path)
    except OSError:  # there is no such file, or it is closed to the caller
        return None
    try:
        facts = os.fstat(descriptor)
        return os.pread(descriptor, most, max(0, facts.st_size - most)) if stat.S_ISREG(facts.st_mode) else None
    except OSError:  # an error of the disk or of a file server
        return None
    finally:
        os.close(descriptor)
