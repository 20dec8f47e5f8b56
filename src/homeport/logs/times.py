"""Times as logs write them, as aware datetimes. What says no zone is in that of this machine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

STAMP = (
    r"\d{4}[-/]\d{2}[-/]\d{2}[T ]{1,2}\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?"
    r"(?:\s?(?:Z|UTC|GMT)\b|\s?[+-]\d{2}:?\d{2}\b|\s[+-]\d{2}\b)?"
)
"""ISO 8601 and RFC 3339 as they are met: with a blank or slashes, commas, nanoseconds, with or without a zone."""
_PARTS = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ]{1,2}(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?"
)
_COMMON = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})", re.ASCII)
_MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)  # noqa: SIM905
}


def stamp(text: str) -> datetime | None:
    """The time of a text that begins with `STAMP`."""
    found = _PARTS.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    return moment(int(year), int(month), int(day), int(hour), int(minute), int(second), fraction, zone)


def common(text: str) -> datetime | None:
    """`28/Nov/2026:11:50:54 +0000`, the time of the common log format; or seconds since 1970 with a fraction."""
    found = _COMMON.match(text)
    if found is None:
        return of_number(float(text)) if re.fullmatch(r"\d{10}\.\d{3,9}", text, re.ASCII) else None
    day, name, year, hour, minute, second, zone = found.groups()
    number = month(name)
    return (
        None if number is None else moment(int(year), number, int(day), int(hour), int(minute), int(second), None, zone)
    )


def moment(
    year: int, month: int, day: int, hour: int, minute: int, second: int, fraction: str | None, zone: str | None
) -> datetime | None:
    """A time from its parts; None where there is no such time. `zone`: "Z", "UTC", "+0100"; None: this machine's."""
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        naive = datetime(year, month, day, hour, minute, min(second, 59), micro)
        return naive.astimezone() if zone is None else naive.replace(tzinfo=_zone(zone))
    except (ValueError, OverflowError, OSError):  # the 30th of February, hour 25, year 0: no time
        return None


def month(name: str) -> int | None:
    """The number of an English month by its first three letters."""
    return _MONTHS.get(name[:3].lower())


def without_year(
    now: datetime, month_number: int, day: int, hour: int, minute: int, second: int, fraction: str | None
) -> datetime | None:
    """A time that tells no year: the latest one that is not more than a day in the future."""
    for year in (now.year, now.year - 1):
        found = moment(year, month_number, day, hour, minute, second, fraction, None)
        if found is not None and found <= now + timedelta(days=1):
            return found
    return None


def of_day(now: datetime, hour: int, minute: int, second: int, fraction: str | None) -> datetime | None:
    """A time that tells no date: the latest one that is not more than a minute in the future."""
    today = now.astimezone()
    found = moment(today.year, today.month, today.day, hour, minute, second, fraction, None)
    return found if found is None or found <= now + timedelta(minutes=1) else found - timedelta(days=1)


def of_number(number: float) -> datetime | None:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970: which of them, its size says."""
    for scale in (1, 1_000, 1_000_000, 1_000_000_000):
        if 1e8 <= number / scale < 1e10:
            try:
                return datetime.fromtimestamp(number / scale, UTC)
            except (ValueError, OverflowError, OSError):  # outside of what this system can tell
                return None
    return None


def _zone(text: str) -> timezone:
    if not text.startswith(("+", "-")):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4] or 0))
    return timezone(-offset if text[0] == "-" else offset)
