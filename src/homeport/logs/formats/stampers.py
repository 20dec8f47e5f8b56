"""What stamps the lines of other programs: multilog, svlogd, ts, pm2 with `--time`; and times as seconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from homeport.logs import times
from homeport.logs.formats.kind import DIGITS, LONGEST, Context, Format, Parsed, enveloped

_TAI = re.compile(r"@([0-9a-f]{16})([0-9a-f]{8})(?: (.*)|$)", re.DOTALL)
_STAMPED = re.compile(
    r"(\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.\d{1,9}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?:)(?: (.*)|$)", re.DOTALL
)
_TS = re.compile(r"(\w{3}) (\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?: (.*)|$)", re.DOTALL)
_SECONDS = re.compile(r"(\d{10}\.\d{3,9})[ |,;\t]+(.*)", re.DOTALL)
_TAI_OF_1970 = (1 << 62) + 10


def tai(line: str, context: Context) -> Parsed | None:
    """`@400000006b0ac01b083cae44 message`: TAI64N, as of multilog(8) and svlogd(8)."""
    found = _TAI.match(line[:LONGEST])
    if found is None:
        return None
    seconds, nano = int(found[1], 16) - _TAI_OF_1970, int(found[2], 16)
    try:
        time = datetime.fromtimestamp(seconds, UTC).replace(microsecond=min(nano // 1000, 999_999))
    except (ValueError, OverflowError, OSError):  # no time at all
        return None
    return enveloped(found[3] or "", time, context)


def stamped(line: str, context: Context) -> Parsed | None:
    """`2026-11-23_05:54:25.12345 message` of svlogd(8), `2026-11-23T05:54:25: message` of pm2."""
    found = _STAMPED.match(line[:LONGEST])
    if found is None:
        return None
    return enveloped(found[2] or "", times.stamp(found[1].replace("_", "T")), context)._replace(whole=True)


def ts(line: str, context: Context) -> Parsed | None:
    """`Nov 23 05:54:25 message` of ts(1)."""
    found = _TS.match(line[:LONGEST])
    month = None if found is None else times.month(found[1])
    if found is None or month is None:
        return None
    _, day, hour, minute, second, fraction, rest = found.groups()
    time = times.without_year(context.now, month, int(day), int(hour), int(minute), int(second), fraction)
    return enveloped(rest or "", time, context)._replace(whole=True)


def seconds(line: str, context: Context) -> Parsed | None:
    """`1795866785.826 message`, as of Squid and nginx's `$msec`."""
    found = _SECONDS.match(line[:LONGEST])
    if found is None:
        return None
    return enveloped(found[2], times.of_number(float(found[1])), context)._replace(whole=True)


TAI = Format("TAI64N", tai, "@")
STAMPED = Format("svlogd and pm2", stamped, DIGITS)
TS = Format("ts", ts, "JFMASOND")
SECONDS = Format("seconds since 1970", seconds, DIGITS)
