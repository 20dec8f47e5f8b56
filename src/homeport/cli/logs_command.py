"""The command `homeport logs`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from homeport.cli.commands import json_option, source_option
from homeport.cli.completion import AddressType
from homeport.errors import UsageError
from homeport.model.logs import Level, LogWish

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = r"(\d{1,6})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![a-z])\s*"
_LEVELS = {"warn": Level.WARNING, "err": Level.ERROR, "fatal": Level.CRITICAL}


def since_of(text: str, now: datetime) -> datetime:
    """`10m`, `2h30m`, `2 days ago`, `today`, `09:30`, `2026-11-23`, `2026-11-23T09:30:00Z`, `@1795866785`.

    Raises UsageError.
    """
    given = text.strip()
    span = re.fullmatch(rf"(?:{_SPAN})+(?:ago)?", given, re.ASCII)
    local = now.astimezone()
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if span is not None:
            parts = re.findall(_SPAN, given, re.ASCII)
            return now - timedelta(seconds=sum(int(number) * _UNITS[unit[0]] for number, unit in parts))
        if given == "now":
            return now
        if re.fullmatch(r"@?\d{10}", given, re.ASCII):  # as of `date +%s`
            return datetime.fromtimestamp(int(given.removeprefix("@")), UTC)
        if text in ("today", "yesterday"):
            return midnight if text == "today" else midnight - timedelta(days=1)
        if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", text):
            hour, minute, *second = (int(part) for part in text.split(":"))
            found = midnight.replace(hour=hour, minute=minute, second=second[0] if second else 0)
            return found if found <= now else found - timedelta(days=1)
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        remedy = "10m, 2h30m, 3d, today, yesterday, 09:30, or a time as 2026-11-23T09:30:00"
        raise UsageError(f"--since {text!r} is no time", why=str(error), remedy=remedy) from error


@click.command(
    epilog="""\b
Examples:
  homeport logs 3000                        the last lines, wherever the server logs
  homeport logs localhost:5432 -f           and what is added to them
  homeport logs 8080 --errors --since 1h    errors and warnings, grouped
  homeport logs 80 --level error --grep checkout
  homeport logs 3000 --sources              only where it logs, and how that is known"""
)
@click.argument("address", metavar="ADDR", type=AddressType())
@click.option("-n", "--lines", "most", type=click.IntRange(0, 1_000_000), default=50, show_default=True,
              metavar="N", help="The last N entries.")  # fmt: skip
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@click.option("--since", metavar="TIME", help="Not older than TIME: 10m, 2h30m, today, 09:30, or ISO 8601.")
@click.option("--level", metavar="LEVEL", help="Of this level or worse: trace, debug, info, notice, warning, error, "
              "critical.")  # fmt: skip
@click.option("--grep", metavar="PATTERN", help="That this regular expression (Python's) is found in; "
              "of a line, its first 4,096 characters are searched.")  # fmt: skip
@click.option("--errors", is_flag=True, help="Errors and warnings, grouped by shape with counts and last time.")
@click.option("--sources", "sources_only", is_flag=True, help="Only where it logs, and how that is known.")
@json_option
@source_option
def logs(
    address: str, most: int, follow: bool, since: str | None, level: str | None, grep: str | None, errors: bool,
    sources_only: bool, as_json: bool, source: str | None,
) -> int:  # fmt: skip
    """What its owner logged, wherever that is.

    Files that its processes have open, standard output and error, the journal, its container, what its configuration
    names; merged by time. The answer is 1 when nothing listens or no log is found, 3 when more rights would show one.
    """
    from homeport.cli import logs as face

    if follow and (errors or sources_only):
        raise UsageError("--follow shows lines: it goes neither with --errors nor with --sources")
    wish = LogWish(
        most=most,
        since=None if since is None else since_of(since, datetime.now(UTC)),
        level=None if level is None else _level(level),
        grep=grep,
        errors=errors,
        sources_only=sources_only,
    )
    show = face.follow if follow else face.once
    return show(address, wish, source=source, as_json=as_json)


def _level(text: str) -> Level:
    name = text.lower()
    try:
        return _LEVELS.get(name) or Level(name)
    except ValueError:
        raise UsageError(f"--level {text!r} is none", remedy=f"one of {', '.join(Level)}") from None
