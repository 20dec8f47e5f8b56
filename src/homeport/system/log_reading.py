"""Reads logs from their end, and goes on reading what is added, whatever becomes of the file.

A log may be of any size and content, be renamed, replaced, truncated or deleted, and be written to meanwhile. At most
`FARTHEST` bytes before its end are read, in blocks; nothing here waits, and nothing but regular files is opened.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Iterator
from typing import ClassVar, NamedTuple, Protocol

from homeport.logs.splitting import Splitter
from homeport.system.reading import open_inside

BLOCK = 1 << 16
FARTHEST = 64 << 20
"""Bytes before the end of a file that are looked at."""
PER_POLL = 1 << 18
"""Bytes that are made to lines at one time: few, so that no rotation passes unseen meanwhile."""
AHEAD = 32 << 20
"""Bytes that are kept, of all files together, of what was added and is not made to lines yet."""
RETIRED_SECONDS = 8.0
"""How long a renamed file is read on after the last line that was written to it."""
_MOST_RETIRED = 16
_SIGNATURE = 64


class Where(NamedTuple):
    """A file: its `path` as its writer names it, below `root` (/proc/PID/root; None: the caller's own).

    `link` is /proc/PID/fd/N of a process that has it open, for a file that its path does not lead to any more.
    """

    path: str
    root: str | None = None
    link: str | None = None


class Feed(Protocol):
    """Something that lines come from. `notes` are what happened to it, to be told once."""

    notes: list[str]

    def last(self, lines: int) -> tuple[Iterator[str], bool]:
        """The last `lines` lines, and whether these are all that there are."""
        ...

    def more(self) -> list[str]:
        """The lines that were added since the last call; never waits."""
        ...

    def close(self) -> None:
        """Let go of it."""


class FileLog:
    """One log file. Raises OSError from its making where it cannot be read."""

    _held: ClassVar[int] = 0  # bytes that all files together have ahead

    def __init__(self, where: Where) -> None:
        self._where = where
        self._descriptor = self._open()
        self._splitter = Splitter()
        self._position = os.fstat(self._descriptor).st_size
        self._signature = self._head()
        self._retired: list[tuple[int, int, Splitter]] = []
        self._last_retired = 0.0
        self._left = False
        self._ahead: deque[tuple[Splitter, bytes]] = deque()
        self._waiting = 0
        self.behind = False
        self.notes: list[str] = []

    @property
    def size(self) -> int:
        """Bytes, as of when it was opened or last read."""
        return self._position

    @property
    def modified(self) -> float:
        """When it was last written to, in seconds since 1970."""
        return os.fstat(self._descriptor).st_mtime

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode."""
        facts = os.fstat(self._descriptor)
        return facts.st_dev, facts.st_ino

    def covers(self, path: str, root: str | None) -> bool:
        """Whether what has this path is followed already, by whatever file."""
        if (path, root) != (self._where.path, self._where.root):
            return False
        return os.fstat(self._descriptor).st_nlink > 0 or not self._is_still_written()

    def was_left(self) -> bool:
        """Whether its writer has another file in this one's place since the last call: it writes elsewhere by now."""
        left = self._where.link is not None and not self._is_still_written()
        before, self._left = self._left, left
        return left and not before

    def last(self, lines: int) -> tuple[Iterator[str], bool]:
        """The last `lines` lines, and whether these are all that there are."""
        start = self.start_of_last(lines)
        return self.lines_from(start), start == 0

    def start_of_last(self, lines: int, most: int = FARTHEST) -> int:
        """Where the last `lines` lines begin: newlines are counted backwards, in at most `most` bytes."""
        position, found = self._position, 0
        least = max(0, self._position - most)
        while position > least:
            start = max(least, position - BLOCK)
            block = os.pread(self._descriptor, position - start, start)
            count = block.count(b"\n")
            if position == self._position and block.endswith(b"\n"):
                count -= 1
            if found + count >= lines:
                at = len(block) - 1 if position == self._position and block.endswith(b"\n") else len(block)
                for _ in range(lines - found):
                    at = block.rfind(b"\n", 0, at)
                return start + at + 1
            found += count
            position = start
        return least

    def lines_from(self, start: int) -> Iterator[str]:
        """The lines from a position (0, or one that `start_of_last` gave) to the end as of the last look."""
        splitter = Splitter()
        cut = start > 0 and os.pread(self._descriptor, 1, start - 1) != b"\n"
        position = start
        while position < self._position:
            block = os.pread(self._descriptor, min(BLOCK * 4, self._position - position), position)
            if not block:  # truncated meanwhile
                break
            position += len(block)
            lines = splitter.feed(block)
            if cut and lines:  # the first is the end of one that began before
                lines, cut = lines[1:], False
            yield from lines
        yield from splitter.flush() if not cut else ()

    def more(self) -> list[str]:
        """The lines that were added since the last look; those of a file that has taken its place follow.

        Up to `AHEAD` bytes are fetched at once, before they are truncated away; at most `PER_POLL` of them are made to
        lines: `behind` says whether there are more.
        """
        self._fetch_retired()
        self._fetch_added()
        self._follow_path()
        if self._position == 0:
            self._fetch_added()
        return self._taken()

    def close(self) -> None:
        """Close what is open."""
        for descriptor in (self._descriptor, *(one[0] for one in self._retired)):
            os.close(descriptor)
        FileLog._held -= self._waiting
        self._waiting, self._ahead, self._retired = 0, deque(), []

    def _open(self) -> int:
        """Open it by its path, or by the link of a descriptor where that is not the file that is written to."""
        link = self._where.link
        try:
            descriptor = open_inside(self._where.root, self._where.path)
            if link is None or os.path.samestat(os.fstat(descriptor), os.stat(link)):
                return _regular(descriptor)
            os.close(descriptor)
        except OSError:
            if link is None:
                raise
        return _regular(os.open(link, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY))

    def _taken(self) -> list[str]:
        lines: list[str] = []
        left = PER_POLL
        while self._ahead and left > 0:
            splitter, block = self._ahead.popleft()
            left -= len(block)
            self._waiting -= len(block)
            FileLog._held -= len(block)
            lines += splitter.feed(block)
        self.behind = bool(self._ahead)
        return lines

    def _fetch(self, descriptor: int, position: int, splitter: Splitter) -> int:
        """Take what comes after a position, as far as there is room; where that ends."""
        while (not self._waiting or FileLog._held < AHEAD) and (block := os.pread(descriptor, BLOCK, position)):
            position += len(block)
            self._waiting += len(block)
            FileLog._held += len(block)
            self._ahead.append((splitter, block))
        return position

    def _fetch_added(self) -> None:
        size = os.fstat(self._descriptor).st_size
        if size < self._position or (size > self._position and self._head(len(self._signature)) != self._signature):
            self.notes.append("was truncated, and is read from its beginning")
            self._splitter = Splitter()
            self._position = _first_data(self._descriptor, size)
            self._signature = self._head()
        self._position = self._fetch(self._descriptor, self._position, self._splitter)
        if len(self._signature) < _SIGNATURE:
            self._signature = self._head()

    def _fetch_retired(self) -> None:
        """What is still written to files that were renamed: until a while after their place was taken."""
        kept = []
        for descriptor, position, splitter in self._retired:
            end = self._fetch(descriptor, position, splitter)
            if end > position or FileLog._held >= AHEAD:
                self._last_retired = time.monotonic()
            if time.monotonic() - self._last_retired < RETIRED_SECONDS:
                kept.append((descriptor, end, splitter))
            else:
                os.close(descriptor)
        self._retired = kept

    def _follow_path(self) -> None:
        """Where another file has the name by now, go over to that."""
        try:
            descriptor = _regular(open_inside(self._where.root, self._where.path))
        except OSError:  # moved away and not made anew yet, or closed to the caller: what is open is read on
            return
        if os.path.samestat(os.fstat(descriptor), os.fstat(self._descriptor)) or self._where.path == self._where.link:
            os.close(descriptor)
            return
        if os.fstat(self._descriptor).st_nlink == 0 and not self._retired and self._is_still_written():
            os.close(descriptor)  # another file has the name, but the process writes to the one that was deleted
            return
        self.notes.append("was replaced by a new file")
        self._retired.append((self._descriptor, self._position, self._splitter))
        for other, position, _ in self._retired[:-_MOST_RETIRED]:
            if (unread := os.fstat(other).st_size - position) > 0:
                self.notes.append(f"was renamed again and again: {unread:,} bytes were not read")
            os.close(other)
        self._retired = self._retired[-_MOST_RETIRED:]
        self._last_retired = time.monotonic()
        self._descriptor, self._position, self._splitter = descriptor, 0, Splitter()
        self._signature = self._head()

    def _is_still_written(self) -> bool:
        """Whether the descriptor that led here is still of the deleted file."""
        if self._where.link is None:
            return False
        try:
            return os.path.samestat(os.stat(self._where.link), os.fstat(self._descriptor))
        except OSError:  # the process ended, or closed it
            return False

    def _head(self, most: int = _SIGNATURE) -> bytes:
        return os.pread(self._descriptor, min(most, self._position), 0)


def _regular(descriptor: int) -> int:
    """The descriptor, if it is of a regular file. Raises OSError."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError("it is no regular file")


def _first_data(descriptor: int, size: int) -> int:
    """Behind the hole that a writer leaves who goes on where it was after the file was truncated (lseek(2))."""
    try:
        return os.lseek(descriptor, 0, os.SEEK_DATA) if size else 0
    except OSError:  # a file system without holes, or nothing but a hole
        return 0
