"""Text of `homeport logs`: the lines on standard output, what is to be said about them on standard error."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from homeport.cli.text import Paint, safe, table
from homeport.model.logs import ErrorGroup, Level, LogLine, Logs, LogSource, LogWish

_STYLES = {
    Level.TRACE: ("dim",),
    Level.DEBUG: ("dim",),
    Level.WARNING: ("yellow",),
    Level.ERROR: ("red",),
    Level.CRITICAL: ("red", "bold"),
}
_NOTHING, _DENIED = 1, 3
_EXAMPLE_LINES = 12


def once(address: str, wish: LogWish, *, source: str | None, as_json: bool) -> int:
    """Show the logs; the answer is the exit code."""
    from homeport.operations import logs as operation

    found = operation.logs(address, wish, source)
    if as_json:
        from homeport.cli.document import emit
        from homeport.operations.documents.logs import document

        emit("logs", document(found))
        return code(found, answered=wish.sources_only)
    paint = Paint()
    if wish.sources_only:
        _write(source_lines(found.sources, paint))
    elif wish.errors:
        _write(group_lines(found.groups, paint))
    else:
        several = sum(one.readable for one in found.sources) > 1
        _write(line for one in found.lines for line in entry_lines(one, several, paint))
    _remark(found, wish)
    return code(found, answered=wish.sources_only)


def follow(address: str, wish: LogWish, *, source: str | None, as_json: bool) -> int:
    """Show the logs and what is added to them, until Ctrl-C or until nobody reads it any more."""
    from homeport.operations.log_following import PAUSE, Following

    following = Following(address, wish, source)
    try:
        first = following.first
        stream = _Stream(first, as_json)
        if not as_json:
            _remark(first, wish)
        stream.show([*(first.sources if as_json else ()), *first.lines])
        if code(first) != 0:
            return code(first)
        while not _reader_is_gone():
            stream.show(following.poll())
            if not following.is_behind:
                time.sleep(PAUSE)
    finally:
        following.close()
    return 0


def code(found: Logs, *, answered: bool = False) -> int:
    """0: a source can be read; 3: more rights would help; 1: there is none that could be.

    `answered`: a source that cannot be read, whatever the rights, is an answer too.
    """
    if any(one.readable for one in found.sources):
        return 0
    if found.denied:
        return _DENIED
    return 0 if answered and found.sources else _NOTHING


class _Stream:
    """Events, written as they come: lines of text, or a JSON document a line."""

    def __init__(self, first: Logs, as_json: bool) -> None:
        self._as_json = as_json
        self._paint = Paint()
        self._readable = sum(one.readable for one in first.sources)

    def show(self, events: Iterable[object]) -> None:
        for one in events:
            if self._as_json:
                self._record(one)
            elif isinstance(one, LogLine):
                _write(entry_lines(one, self._readable > 1, self._paint))
            elif isinstance(one, LogSource):
                self._readable += one.readable
                _say(f"also {_in_a_line(one)}")
            else:
                _say(getattr(one, "text", ""))
        sys.stdout.flush()

    @staticmethod
    def _record(one: object) -> None:
        from homeport.cli.document import emit
        from homeport.operations.documents import logs as documents

        if isinstance(one, LogLine):
            emit("logs", {"event": "line", **documents.line(one)})
        elif isinstance(one, LogSource):
            emit("logs", {"event": "source", **documents.source(one)})
        else:
            emit("logs", {"event": "notice", "text": getattr(one, "text", "")})


def entry_lines(one: LogLine, several: bool, paint: Paint) -> Iterator[str]:
    """An entry as it is in the log, harmless; with its source where there are several, with its time where it has none.

    Lines of an entry after its first are set in, so that it can be seen where the next one begins.
    """
    styles = _STYLES.get(one.level, ()) if one.level is not None else ()
    label = paint(f"{safe(one.source)} | ", "dim") if several else ""
    for number, text in enumerate(one.text.split("\n")):
        shown = safe(text.replace("\t", "    "))
        if number == 0 and one.time is not None and not one.inherited and one.time.strftime("%M:%S") not in text:
            shown = f"{_when(one.time)} {shown}"
        yield label + paint(shown, *styles)


def group_lines(groups: Sequence[ErrorGroup], paint: Paint) -> Iterator[str]:
    """The groups: how many, how bad, when last, what; and the last of each as it is in the log."""
    for one in groups:
        when = "no time told" if one.last is None else f"last {_when(one.last)}"
        if one.count > 1 and one.first is not None and one.first != one.last:
            when += f", first {_when(one.first)}"
        head = f"{one.count:>6}x {one.level.value}   {when}   {', '.join(one.sources)}"
        yield paint(safe(head), *_STYLES.get(one.level, ()))
        yield f"         {safe(one.shape)}"
        lines = one.example.split("\n")
        for text in lines[:_EXAMPLE_LINES]:
            yield paint(f"         > {safe(text)}", "dim")
        if len(lines) > _EXAMPLE_LINES:
            yield paint(f"         > … {len(lines) - _EXAMPLE_LINES} more lines: --json has them", "dim")


def source_lines(some: Sequence[LogSource], paint: Paint) -> Iterator[str]:
    """A table of the places, each with why it is known, and why it cannot be read where it cannot."""
    rows = [(safe(one.label), one.kind.value, _size(one), safe(_where(one))) for one in some]
    for line, one in zip(table(rows, right=(2,)), some, strict=True):
        yield line if one.readable else paint(line, "dim")
        for each in one.evidence:
            yield paint(f"    {safe(each.text)} ({safe(each.source)})", "dim")


def _where(one: LogSource) -> str:
    if one.readable:
        return one.what or ""
    told = f"{one.what}: {one.reason}" if one.what and one.what not in (one.reason or "") else one.reason or ""
    return f"{told}; {one.remedy}" if one.remedy and one.remedy not in told else told


def _in_a_line(one: LogSource) -> str:
    return f"{one.label}: {_where(one)}" if not one.readable or one.what != one.label else one.label


def _size(one: LogSource) -> str:
    size = float(one.size) if one.size is not None else None
    if size is None:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return ""


def _remark(found: Logs, wish: LogWish) -> None:
    """What stands on standard error: the sources, what was not seen, and what to do where there is nothing."""
    sys.stdout.flush()
    if not wish.sources_only:
        for one in found.sources:
            _say(_in_a_line(one))
    for text in (*found.hints, *found.limits):
        _say(text)
    if not wish.sources_only and code(found) == 0 and not found.lines and not found.groups:
        _say("no errors or warnings there" if wish.errors else "no lines there that fit")


def _say(text: str) -> None:
    sys.stderr.write(f"{Paint(sys.stderr)(f'# {safe(text)}', 'dim')}\n")
    sys.stderr.flush()


def _when(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _write(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _reader_is_gone() -> bool:
    """Whether the other end of standard output was closed: nothing would be written for long, and so nothing fail."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
        return any(what & (select.POLLERR | select.POLLHUP) for _, what in poll.poll(0))
    except (OSError, ValueError):  # no descriptor below it, as in tests: nobody can go away there
        return False
