"""What a listener's owner logged, and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from homeport.model.evidence import Evidence


class Level(StrEnum):
    """How bad it is, mildest first; the names of other systems are put under these (`logs.levels`)."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place in the order: 0 for the mildest."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(Level)}


class LogKind(StrEnum):
    """What a place is where something is logged to."""

    FILE = "file"
    DELETED_FILE = "deleted-file"
    """A file without a name by now that a process still has open: it can be read for as long as that is so."""
    PIPE = "pipe"
    SOCKET = "socket"
    TERMINAL = "terminal"
    PANE = "pane"
    """A window of tmux or screen, which keep what was written to it."""
    NULL = "null"
    """/dev/null: what is written there is thrown away."""
    CLOSED = "closed"
    """No standard output or error at all."""
    JOURNAL = "journal"
    SYSLOG = "syslog"
    CONTAINER = "container"
    CRASH = "crash"
    """What is left of an earlier process of the program: a core file, a line of the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """One place where the owner logs. `label` is what its lines are marked with, unique among the sources of an answer.

    `what` is a path, a command or a name that a person can do something with, None where there is no such thing;
    `readable`: its lines are in the answer, else `reason` says why not, and `remedy` what would help, where something
    would. `size` is that of a file, in bytes. `denied`: more rights would make it readable.
    """

    kind: LogKind
    label: str
    what: str | None
    readable: bool
    reason: str | None
    evidence: tuple[Evidence, ...]
    remedy: str | None = None
    size: int | None = None
    denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One entry of a log with its continuation lines (`text` has newlines between them), from the source `source`.

    `time` is aware; `inherited`: it is that of the entry before. None: nothing tells it. `level` None: not told.
    `message` is what the format calls the message, and for a stack trace its exception. `stream` is "stdout" or
    "stderr" where that is known.
    """

    time: datetime | None
    level: Level | None
    text: str
    message: str
    source: str
    inherited: bool = False
    stream: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroup:
    """Errors or warnings of one shape: the message with numbers, ids, addresses, times and quoted strings replaced.

    `level` is the worst, `count` how many, `first` and `last` when (None: no times), `example` the last entry's text.
    """

    shape: str
    level: Level
    count: int
    first: datetime | None
    last: datetime | None
    example: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """The answer of `homeport logs`: `lines` in the order of their times, `groups` only where asked for.

    `sources` is empty where no place is known; `hints` say then where one would look and why there is none. `limits`:
    in a line each, what could not be seen, and how far back was looked. `denied`: more rights would show more sources.
    """

    asked: str
    taken_at: datetime
    sources: tuple[LogSource, ...]
    lines: tuple[LogLine, ...]
    groups: tuple[ErrorGroup, ...]
    hints: tuple[str, ...]
    limits: tuple[str, ...]
    denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWish:
    """What to show: the last `most` entries, not older than `since`, of at least `level`, that match `grep`.

    `errors`: group errors and warnings by shape; `sources_only`: read no lines.
    """

    most: int = 50
    since: datetime | None = None
    level: Level | None = None
    grep: str | None = None
    errors: bool = False
    sources_only: bool = False
