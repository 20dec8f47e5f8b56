"""Lines put together to entries: what continues an entry stays with it, and what tells no time has that of before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from homeport.logs.formats import Parsed
from homeport.logs.formats.loggers import is_exception
from homeport.model.logs import Level, LogLine

MOST_LINES = 300
"""Lines of one entry that are kept."""
MOST_CHARACTERS = 1 << 16
"""Characters of one entry that are kept."""

_CONTINUES = re.compile(
    r"[ \t]|Caused by: |Suppressed: |\.\.\. \d+ more|During handling of the above|The above exception was"
    r"|[})\]]{1,4}[;,]?$|at .{1,200}\(|Stack trace:|goroutine \d+ \[|Node\.js v\d|node:internal/|\s*\^+\s*$"
)
_COLOURS = re.compile(r"\x1b\[[\d;:]{0,40}[mK]")
_GO = re.compile(
    r"goroutine \d+ [\w ]{0,40}\[|created by |exit status \d+$|\[signal |[\w./*-]{1,200}[.(][^ ]{0,200}\(.{0,400}\)$|\t"
)
_GO_CRASHED = ("panic: ", "fatal error: ")
_TRACEBACK = "Traceback (most recent call last)"
_CHAINED = ("During handling of the above", "The above exception was", _TRACEBACK)


class Assembler:
    """Makes entries of the lines of one source. An entry is complete when the next one begins, or at `flush`."""

    def __init__(self, source: str, read: Callable[[str], Parsed | None]) -> None:
        self._source = source
        self._read = read
        self._head: Parsed | None = None
        self._lines: list[str] = []
        self._blanks = 0
        self._dropped = 0
        self._characters = 0
        self._inherited = False
        self._time: datetime | None = None
        self._traceback = False
        self._unclosed = False
        self._exception: str | None = None
        self._joined: dict[str | None, str] = {}

    def feed(self, line: str) -> Iterator[LogLine]:
        """Take a line; the entry that it completes, if it does. Colours are no part of it."""
        if "\x1b" in line:
            line = _COLOURS.sub("", line)
        if self._unclosed:
            self._unclosed = line.count('"') % 2 == 0 and len(self._lines) + self._dropped < MOST_LINES
            self._append(line or " ", line)
            return
        if not line.strip():
            self._blanks += 1
            return
        if self._head is not None and self._continues(line):
            self._append(line, line)
            return
        shown = line
        found = self._read(line)
        if found is not None and found.text is not None:  # an envelope: what it holds may continue what it held before
            if found.partial or found.stream in self._joined:
                whole = self._joined.pop(found.stream, "") + found.text
                if found.partial and len(whole) < MOST_CHARACTERS:
                    self._joined[found.stream] = whole
                    return
                found = found._replace(text=whole)
            line = found.text or ""
            shown = shown if found.whole else line
            if self._head is not None and self._head.stream == found.stream and line and self._continues(line):
                self._append(shown, line)
                return
        if found is not None and self._head is not None and self._belongs(found, line):
            self._append(shown, line)
            return
        yield from self.flush()
        self._begin(found, shown)
        self._traceback = _TRACEBACK in line

    def flush(self) -> Iterator[LogLine]:
        """The entry that has not ended yet."""
        if self._head is None:
            return
        head, lines = self._head, self._lines
        if self._dropped:
            lines = [*lines, f"… {self._dropped} more lines"]
        message = head.message.strip() or lines[0].strip()
        if self._exception is not None and self._exception not in message:
            message = self._exception if message.startswith(_TRACEBACK) else f"{message} — {self._exception}"
        self._head, self._unclosed = None, False
        yield LogLine(
            time=self._time,
            level=head.level,
            text="\n".join(lines),
            message=message,
            source=self._source,
            inherited=self._inherited,
            stream=head.stream,
        )

    def _begin(self, found: Parsed | None, line: str) -> None:
        head = found if found is not None else Parsed(None, None, line)
        self._inherited = head.time is None and self._time is not None
        self._time = head.time or self._time
        self._head, self._lines, self._dropped, self._blanks = head, [line], 0, 0
        self._characters = len(line)
        self._exception = None
        self._unclosed = head.unclosed

    def _append(self, shown: str, line: str) -> None:
        """Add a line to the entry: `line` is what of it the program itself has written."""
        if len(self._lines) + self._blanks >= MOST_LINES or self._characters + len(shown) > MOST_CHARACTERS:
            self._dropped += 1
        else:
            self._lines += [""] * self._blanks + [shown]
            self._characters += len(shown) + self._blanks
        self._blanks = 0
        if line.startswith(_TRACEBACK):
            self._traceback = True
        elif not line[:1].isspace() and (self._traceback or is_exception(line)):
            self._exception = line[:500]
            self._traceback = False

    def _continues(self, line: str) -> bool:
        """Whether a line belongs to the entry by what it looks like."""
        if self._lines[0].startswith(_GO_CRASHED) and _GO.match(line) is not None:
            return True
        if self._blanks and not self._traceback and not line[0].isspace():
            return self._exception is not None and line.startswith(_CHAINED)
        if _CONTINUES.match(line) is not None:
            return True
        if self._traceback:  # `ValueError: …` ends it; a class of another name is told by its dots and capitals
            return is_exception(line) or re.match(r"(?:\w+\.){0,8}[A-Z]\w{0,80}(?::\s|$)", line) is not None
        return False

    def _belongs(self, found: Parsed, line: str) -> bool:
        """Whether a line that a format understands is yet a part of the entry."""
        if found.attached:
            return True
        head = self._head
        bad = head is not None and head.level is not None and head.level.rank >= Level.WARNING.rank
        plain = found.time is None and found.stream is None
        return bad and plain and self._exception is None and (line.startswith(_TRACEBACK) or is_exception(line)) and (
            head is not None and (head.time is not None or line.startswith(_TRACEBACK)) and len(self._lines) < 3
        )  # fmt: skip
