"""The rack of formats: how lines of logs are written.

To add one: a function that reads a line in the file of its kin, a `Format` of it, and its place in `FORMATS`; the first
that understands a line has it, so what is told apart more exactly stands before what takes much.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from homeport.logs.formats import containers, json_lines, logfmt, loggers, servers, syslog
from homeport.logs.formats.kind import Context, Format, Parsed

__all__ = ["FORMATS", "Format", "Parsed", "reader"]

FORMATS: tuple[Format, ...] = (
    json_lines.FORMAT,
    containers.FORMAT,
    servers.NGINX,
    servers.ACCESS,
    servers.APACHE,
    servers.POSTGRESQL,
    servers.REDIS,
    servers.MARIADB,
    syslog.RFC5424,
    syslog.RFC3164,
    syslog.FILE,
    loggers.GLOG,
    loggers.RUBY,
    logfmt.FORMAT,
    loggers.STAMPED,
    loggers.HOURS,
    loggers.PYTHON,
    loggers.CRASHED,
    loggers.LEVELLED,
)
_DEEPEST = 2


def reader(now: datetime) -> Callable[[str], Parsed | None]:
    """Reads lines by the rack; None for a line that says no time, level or structure of its own."""

    def read(line: str, depth: int = 0) -> Parsed | None:
        context = Context(now, (lambda text: read(text, depth + 1)) if depth < _DEEPEST else lambda _: None)
        return next((found for one in FORMATS if (found := one.parse(line, context)) is not None), None)

    return read
