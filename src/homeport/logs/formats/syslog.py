"""syslog, as of RFC 3164 and RFC 5424, and as daemons write it to files."""

from __future__ import annotations

import re

from homeport.logs import levels, times
from homeport.logs.formats.kind import DIGITS, LONGEST, Context, Format, Parsed, enveloped

_NEW = re.compile(
    r"<(\d{1,3})>1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) (-|(?:\[(?:[^\]\\]|\\.){0,2048}\])+) ?(.*)",
    re.DOTALL,
)
_OLD = re.compile(
    r"(?:<(\d{1,3})>)?(\w{3}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? "
    r"(?P<host>(?![\w./-]{1,48}(?:\[\d+\])?:)\S{1,255} )?"
    r"([\w./-]{1,48})(?:\[\d+\])?: (.*)",
    re.DOTALL,
)
_ISO = re.compile(rf"({times.STAMP}) (\S{{1,255}}) ([\w./-]{{1,48}})\[\d+\]: (.*)", re.DOTALL)


def new(line: str, context: Context) -> Parsed | None:
    """RFC 5424 §6."""
    found = _NEW.match(line[:LONGEST])
    if found is None:
        return None
    inside = enveloped(found[8].removeprefix("\ufeff"), times.stamp(found[2]), context)
    return inside._replace(level=levels.severity(int(found[1]) % 8), text=None)


def old(line: str, context: Context) -> Parsed | None:
    """RFC 3164 §4, and rsyslog's traditional files, which have no priority."""
    found = _OLD.match(line[:LONGEST])
    month = None if found is None else times.month(found[2])
    if found is None or month is None:
        return None
    priority, _, day, hour, minute, second, fraction, host, tag, message = found.groups()
    if priority is None and host is None and (levels.by_name(tag) or tag.endswith(("Error", "Exception"))):
        return None  # a line that only a time was put before
    time = times.without_year(context.now, month, int(day), int(hour), int(minute), int(second), fraction)
    inside = enveloped(message, time, context)
    return inside._replace(level=inside.level if priority is None else levels.severity(int(priority) % 8), text=None)


def iso(line: str, context: Context) -> Parsed | None:
    """rsyslog's files by default since Debian 12: `2026-11-23T05:54:25.123456+00:00 host program[12]: message`."""
    found = _ISO.match(line[:LONGEST])
    if found is None:
        return None
    return enveloped(found[4], times.stamp(found[1]), context)._replace(text=None)


RFC5424 = Format("syslog (RFC 5424)", new, "<")
RFC3164 = Format("syslog (RFC 3164)", old)
FILE = Format("syslog file", iso, DIGITS)
