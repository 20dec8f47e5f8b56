"""Levels by the names and numbers that other systems give them."""

from __future__ import annotations

import re

from homeport.model.logs import Level

_NAMES = {
    Level.TRACE: "trace trc finest finer silly all verbose",
    Level.DEBUG: "debug dbg dbug fine config debug1 debug2 debug3 debug4 debug5",
    Level.INFO: "info inf information informational log success statement http",
    Level.NOTICE: "notice",
    Level.WARNING: "warning warn wrn warnings",
    Level.ERROR: "error err eror severe fail failure exception",
    Level.CRITICAL: "critical crit fatal ftl panic pnc dpanic emerg emergency alert",
}
NAMES = {name: level for level, names in _NAMES.items() for name in names.split()}
"""Names in lower case."""
LETTERS = {
    "T": Level.TRACE,
    "V": Level.TRACE,
    "D": Level.DEBUG,
    "I": Level.INFO,
    "N": Level.NOTICE,
    "W": Level.WARNING,
    "E": Level.ERROR,
    "F": Level.CRITICAL,
    "C": Level.CRITICAL,
}
_SEVERITIES = (
    Level.CRITICAL, Level.CRITICAL, Level.CRITICAL, Level.ERROR, Level.WARNING, Level.NOTICE, Level.INFO, Level.DEBUG
)  # fmt: skip

_WORDS = "trace|debug[1-5]?|info|notice|warn(?:ing)?|err(?:or)?|severe|crit(?:ical)?|fatal|panic|emerg|alert|log"
_UPPER = _WORDS.upper().replace("(?:ING)", "(?:ING)")
_MARKED = re.compile(
    rf"""(?x) (?<![\w/.-])(?: (?P<upper>{_UPPER}) (?=[\s:\]|)>,;-]|$)
    | [\[<(|]\s?(?P<boxed>(?i:{_WORDS}))\s?[\]>)|] | (?P<colon>(?i:{_WORDS})):(?=\s) )"""
)
_LOOKED_AT = 120


def by_name(name: str) -> Level | None:
    """The level of a name, in any case; None for another word."""
    return NAMES.get(name.strip().lower()) if len(name) < 24 else None


def by_number(number: float) -> Level | None:
    """pino's and bunyan's numbers (10 trace … 60 fatal); below 8, syslog's severities."""
    if 0 <= number < 8:
        return severity(int(number))
    for bound, level in (
        (15, Level.TRACE),
        (25, Level.DEBUG),
        (35, Level.INFO),
        (45, Level.WARNING),
        (55, Level.ERROR),
    ):
        if number < bound:
            return level
    return Level.CRITICAL if number < 100 else None


def severity(number: int) -> Level | None:
    """The severities 0 to 7 of RFC 5424 §6.2.1."""
    return _SEVERITIES[number] if 0 <= number < len(_SEVERITIES) else None


def by_status(code: int) -> Level:
    """The level of a request that was answered with this HTTP status: 5xx is an error, 4xx a warning."""
    return Level.ERROR if code >= 500 else Level.WARNING if code >= 400 else Level.INFO


def marked(text: str) -> Level | None:
    """The first level that stands near the beginning of a text as loggers write it: `ERROR`, `[warn]`, `error:`."""
    found = _MARKED.search(text[:_LOOKED_AT])
    return None if found is None else by_name(found["upper"] or found["boxed"] or found["colon"])
