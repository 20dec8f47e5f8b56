"""The rack of formats: how lines of logs are written.

To add one: a function that reads a line in the file of its kin, a `Format` of it, and its place in `FORMATS`; the first
that understands a line has it, so what is told apart more exactly stands before what takes much.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from homeport.logs.formats import containers, json_lines, logfmt, loggers, servers, stampers, syslog
from homeport.logs.formats.kind import Context, Format, Parsed

__all__ = ["FORMATS", "Format", "Parsed", "reader"]

FORMATS: tuple[Format, ...] = (
    json_lines.FORMAT,
    containers.FORMAT,
    stampers.TAI,
    stampers.STAMPED,
    stampers.SECONDS,
    servers.NGINX,
    servers.ACCESS,
    servers.APACHE,
    servers.POSTGRESQL_CSV,
    servers.POSTGRESQL,
    servers.REDIS,
    servers.MARIADB,
    syslog.RFC5424,
    syslog.RFC3164,
    syslog.FILE,
    stampers.TS,
    loggers.GLOG,
    loggers.RUBY,
    loggers.TOMCAT,
    loggers.CTIME,
    loggers.NEST,
    logfmt.FORMAT,
    loggers.STAMPED,
    loggers.HOURS,
    loggers.PYTHON,
    loggers.CRASHED,
    loggers.LEVELLED,
)


def reader(now: datetime) -> Callable[[str], Parsed | None]:
    """Reads lines by the rack; None for a line that says no time, level or structure of its own."""

    innermost = Context(now, lambda _: None)
    inner = Context(now, lambda text: _parsed(text, innermost))
    outer = Context(now, lambda text: _parsed(text, inner))
    return lambda line: _parsed(line, outer)


def _parsed(line: str, context: Context) -> Parsed | None:
    for one in _by_start(line[:1]):
        found = one.parse(line, context)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=256)
def _by_start(character: str) -> tuple[Format, ...]:
    return tuple(one for one in FORMATS if not one.starts or (character and character in one.starts))
