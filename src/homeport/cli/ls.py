"""The click command of `homeport ls`, made of the options that `cli.listing` declares."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import time
from types import FrameType
from typing import Any

import click

from homeport.cli import listing, quick
from homeport.cli.options import Seconds
from homeport.cli.text import Paint, safe
from homeport.errors import UsageError
from homeport.model.snapshot import Snapshot


def _options(command: click.Command) -> click.Command:
    for option in listing.OPTIONS:
        settings: dict[str, Any] = {"help": option.help}
        if option.takes:
            settings |= {"metavar": option.metavar, "multiple": option.takes == "many"}
        else:
            settings["is_flag"] = True
        command.params.append(click.Option([*option.names, option.field], **settings))
    return command


@click.command(
    epilog="""\b
Examples:
  homeport ls 3000-3999          ports of a range
  homeport ls 127.0.0.1 --tcp    TCP on one address
  homeport ls --user www-data    what a user holds
  homeport ls --project shop -q  process ids of a project
  homeport ls --scope every      what every interface can reach
  homeport ls --services         what speaks there: protocol, product, version
  homeport ls --all --wide       connections too, with everything known"""
)
@click.argument("what", nargs=-1, metavar="[PORT|RANGE|ADDRESS]...")
@click.option("--watch", is_flag=False, flag_value=2.0, type=Seconds(0.2, 3600), metavar="[SECONDS]",
              help="Look again every SECONDS (default 2) until Ctrl-C; with --json, one document a line.")  # fmt: skip
def ls(what: tuple[str, ...], watch: float | None, **fields: Any) -> int:
    """What listens here, whose it is, and who can address it.

    Every TCP listener and bound UDP socket of every network namespace that can be seen.
    """
    given = {name: value for name, value in fields.items() if value not in (None, False, ())}
    request = quick.request(what, given)
    return listing.answer(request) if watch is None else _watch(request, watch)


command = _options(ls)


def _watch(request: listing.Request, seconds: float) -> int:
    gc.enable()  # a single look goes without
    if request.json:
        while True:
            listing.answer(request)
            sys.stdout.flush()
            time.sleep(seconds)
    if request.csv or request.quiet or not sys.stdout.isatty():
        raise UsageError("--watch redraws a terminal", remedy="use --watch --json for a stream of documents")
    for name in ("SIGTERM", "SIGHUP"):  # by themselves they would leave the terminal as it is
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave)
    paint = Paint()
    before: frozenset[tuple[object, ...]] | None = None
    sys.stdout.write("\x1b[?1049h\x1b[?25l")  # the alternate screen, without the cursor
    try:
        while True:
            snapshot = listing.take(request)
            now = frozenset(_identity(one) for one in snapshot.listeners)
            size = shutil.get_terminal_size()
            new = frozenset() if before is None else now - before
            printed = screen(snapshot, request, paint, new, seconds, size)
            sys.stdout.write("\x1b[H" + "\x1b[K\r\n".join(printed) + "\x1b[K\x1b[J")
            sys.stdout.flush()
            before = now
            time.sleep(seconds)
    finally:
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()


def _leave(number: int, _frame: FrameType | None) -> None:
    """Unwind, so that the terminal is restored; the exit code is a shell's for this signal."""
    raise SystemExit(128 + number)


def _identity(one: Any) -> tuple[object, ...]:
    socket = one.socket
    return socket.netns, socket.inode, socket.protocol, socket.address, socket.port


def screen(
    snapshot: Snapshot,
    request: listing.Request,
    paint: Paint,
    new: frozenset[tuple[object, ...]],
    seconds: float,
    size: os.terminal_size,
) -> list[str]:
    """What fits a terminal of this size: header, rows (what is `new` stands out), a line of status, the limits."""
    printed = listing.lines(snapshot, wide=request.wide, connections=request.wish.all, services=request.services)
    head, *rows = listing.fit(printed, size.columns)
    notes = [f"note: {safe(limit)}" for limit in snapshot.limits]
    room = max(1, size.lines - 3 - len(notes))
    shown = [
        paint(row, "green", "bold") if _identity(one) in new else row
        for row, one in zip(rows[:room], snapshot.listeners, strict=False)
    ]
    more = f"{len(rows) - room} more do not fit; " if len(rows) > room else ""
    status = f"{len(rows)} at {snapshot.taken_at.astimezone():%H:%M:%S}, every {seconds:g} s; {more}Ctrl-C ends"
    below = listing.fit([status, *notes], size.columns)
    return [paint(head, "dim"), *shown, "", *(paint(line, "dim") for line in below)][: max(1, size.lines)]
