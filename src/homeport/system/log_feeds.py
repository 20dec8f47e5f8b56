"""Opens what `logs.places` found: files, the journal, engines' logs, windows of tmux and screen. No wait is long."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator

from homeport.logs.places.kind import OfContainer, OfFile, OfPane, OfText, OfUnit, Reading
from homeport.logs.splitting import Splitter
from homeport.system import multiplexers
from homeport.system.engines import Engines, Place
from homeport.system.log_reading import Feed, FileLog, Where
from homeport.system.programs import output_of
from homeport.wire.log_frames import Frames

PATIENCE = 3.0
MOST = 64 << 20
_PIECE = 1 << 16
_PER_POLL = 8 << 20
_AGAIN = 1.0
_FEW, _MANY = 200, 200_000
_HEAD = 1 << 16
_PANE_LINES = 1000
_PANE_PAUSE = 0.5
_OVERLAPS = (20, 5, 2)


def outputs() -> frozenset[tuple[int, int]]:
    """Device and inode of the files that this program's own standard output and error lead to."""
    found = []
    for number in (1, 2):
        try:
            facts = os.fstat(number)
        except OSError:  # closed: nothing is written there
            continue
        if stat.S_ISREG(facts.st_mode):
            found.append((facts.st_dev, facts.st_ino))
    return frozenset(found)


def open_feed(reading: Reading) -> Feed:
    """The feed of a place. Raises OSError with why it cannot be read."""
    if isinstance(reading, OfFile):
        feed = FileLog(Where(reading.path, reading.root, reading.link))
        return feed if reading.only is None else Tagged(feed, reading.only)
    if isinstance(reading, OfUnit):
        return JournalLog(reading.unit, reading.user)
    if isinstance(reading, OfContainer):
        return ContainerLog(reading.identity)
    if isinstance(reading, OfPane):
        return PaneLog(reading)
    return TextLog(reading)


class Tagged:
    """The lines of a syslog file that one program wrote, by its tag."""

    def __init__(self, feed: FileLog, tag: str) -> None:
        self._feed = feed
        self._tag = re.compile(rf"[\s/]{re.escape(tag)}(?:\[\d+\])?:\s")
        self.notes = feed.notes

    def last(self, lines: int) -> tuple[Iterator[str], bool]:
        """Among the last lines of the file those of the program; a hundred times as many are looked through."""
        found, complete = self._feed.last(lines * 100)
        return (line for line in found if self._fits(line)), complete

    def more(self) -> list[str]:
        """As `Feed.more`."""
        return [line for line in self._feed.more() if self._fits(line)]

    def close(self) -> None:
        """As `Feed.close`."""
        self._feed.close()

    def _fits(self, line: str) -> bool:
        return self._tag.search(line[:400]) is not None


class TextLog:
    """Lines that are known already."""

    def __init__(self, reading: OfText) -> None:
        self._lines = reading.lines
        self.notes: list[str] = []

    def last(self, lines: int) -> tuple[Iterator[str], bool]:
        """As `Feed.last`."""
        return iter(self._lines[-lines:] if lines else ()), True

    def more(self) -> list[str]:
        """Nothing is added to them."""
        return []

    def close(self) -> None:
        """Nothing is open."""


class PaneLog:
    """What a window of tmux or screen shows and has shown."""

    def __init__(self, reading: OfPane) -> None:
        self._pane = reading.pane
        self._shown = self._capture(_PANE_LINES)
        self._next = 0.0
        self.notes: list[str] = []

    def last(self, lines: int) -> tuple[Iterator[str], bool]:
        """As `Feed.last`."""
        found = self._capture(max(lines, _PANE_LINES))
        self._shown = found[-_PANE_LINES:]
        return iter(found[-lines:] if lines else ()), len(found) <= lines

    def more(self) -> list[str]:
        """What has come below of what was there at the last look."""
        if time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + _PANE_PAUSE
        try:
            now = self._capture(_PANE_LINES)
        except OSError:  # the window was closed, or its server is busy: nothing new from it
            return []
        found = _added(self._shown, now)
        self._shown = now
        return found

    def close(self) -> None:
        """Nothing is open."""

    def _capture(self, lines: int) -> list[str]:
        return multiplexers.history(self._pane, lines).decode("utf-8", "surrogateescape").splitlines()


def _added(before: list[str], now: list[str]) -> list[str]:
    """The lines of `now` that come after those of `before`, the longest overlap first."""
    if now == before:
        return []
    for size in (len(before), *_OVERLAPS, 1):
        some = before[-size:] if size else []
        if 0 < size <= len(before):
            for end in range(len(now), size - 1, -1):
                if now[end - size : end] == some:
                    return now[end:]
    return now


class JournalLog:
    """The journal of a unit, by journalctl(1). Raises OSError where that fails or has nothing."""

    def __init__(self, unit: str, user: bool) -> None:
        self._words = ("--user", "-u", unit) if user else ("-u", unit)
        self._follower: subprocess.Popen[bytes] | None = None
        self._splitter = Splitter()
        self._cursor: str | None = None
        self.notes: list[str] = []
        if not self._read(1):
            raise OSError(errno.ENODATA, f"the journal that may be read has no entries of {unit}")

    def last(self, lines: int) -> tuple[Iterator[str], bool]:
        """As `Feed.last`: one JSON object a line."""
        found = self._read(lines) if lines else []
        return iter(found), len(found) < lines

    def more(self) -> list[str]:
        """As `Feed.more`, of a `journalctl --follow` that is started at the first call."""
        if self._follower is None:
            after = ("-n", "0") if self._cursor is None else (f"--after-cursor={self._cursor}",)
            command = ["journalctl", *self._words, "-o", "json", "--no-pager", "--follow", *after]
            self._follower = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            assert self._follower.stdout is not None  # noqa: S101
            os.set_blocking(self._follower.stdout.fileno(), False)
        stream = self._follower.stdout
        assert stream is not None  # noqa: S101
        return _available(lambda size: os.read(stream.fileno(), size), self._splitter.feed)[0]

    def close(self) -> None:
        """End the journalctl that follows."""
        if self._follower is not None:
            self._follower.kill()
            with self._follower:
                self._follower = None

    def _read(self, lines: int) -> list[str]:
        words = (*self._words, "-o", "json", "-n", str(lines), "--no-pager", "--quiet")
        text, why = output_of("journalctl", *words, patience=PATIENCE, most=MOST)
        if text is None:
            raise OSError(errno.EIO, why)
        found = text.decode("utf-8", "surrogateescape").splitlines()
        if found and (cursor := re.search(r'"__CURSOR"\s*:\s*"([^"\\]{1,400})"', found[-1])) is not None:
            self._cursor = cursor[1]
        return found


class ContainerLog:
    """What an engine keeps of a container's output, as lines of `logs.formats.containers`. Raises OSError.

    What is added is asked for again and again: an engine's own `follow` may miss a line that comes while it begins.
    """

    def __init__(self, identity: str) -> None:
        place = Engines().place_of(identity)
        if place is None:
            raise OSError(errno.ENOENT, "no engine that answers knows the container")
        self._place = place
        self._path = f"/containers/{identity}/logs?stdout=1&stderr=1&timestamps=1"
        self._newest = ""
        self._counted: Counter[str] = Counter()
        self._next = 0.0
        self.notes: list[str] = []
        self.last(0)

    def last(self, lines: int) -> tuple[Iterator[str], bool]:
        """As `Feed.last`."""
        found = self._back_to(None, lines)
        self._remember(found)
        return iter(found[-lines:] if lines else ()), len(found) < lines

    def more(self) -> list[str]:
        """As `Feed.more`; at most once a second the engine is asked for as many lines as reach back to those known."""
        if time.monotonic() < self._next:
            return []
        try:
            found = self._back_to(self._newest, 0)
        except OSError:  # the engine or the container is gone for now
            found = []
        self._next = time.monotonic() + _AGAIN
        known = self._counted.copy()
        fresh = []
        for line in found:
            if _stamp(line) == self._newest and known[line]:
                known[line] -= 1
            elif _stamp(line) >= self._newest:
                fresh.append(line)
        self._remember(found)
        return fresh

    def close(self) -> None:
        """Nothing is open."""

    def _back_to(self, stamp: str | None, lines: int) -> list[str]:
        """At least so many of the last lines, and all from a time on ("": from any); None: from that of the last one.

        Podman tells whole seconds: what is added later may have the time of what is known. Raises OSError.
        """
        lines = max(lines, _FEW)
        while len(found := self._read(lines)) >= lines < _MANY:
            if _stamp(found[0]) < (_stamp(found[-1]) if stamp is None else stamp):
                break
            lines *= 10
        return found

    def _remember(self, found: list[str]) -> None:
        if found:
            self._newest = _stamp(found[-1])
            self._counted = Counter(line for line in found if _stamp(line) == self._newest)

    def _read(self, lines: int) -> list[str]:
        """The last lines of both streams, by their times. Raises OSError."""
        deadline = time.monotonic() + PATIENCE
        connection, piece = _ask(self._place, f"{self._path}&tail={lines}")
        frames, splitters = Frames(), {"stdout": Splitter(), "stderr": Splitter()}
        found = _framed(frames, splitters, piece)
        size = len(piece)
        with connection:
            while size < MOST and time.monotonic() < deadline:
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                piece = connection.recv(_PIECE)
                if not piece:
                    break
                size += len(piece)
                found += _framed(frames, splitters, piece)
        found += [_marked(name, line) for name, one in splitters.items() for line in one.flush()]
        found.sort(key=_stamp)
        return found[-lines:] if lines else []


def _stamp(line: str) -> str:
    """The time of a line, so that texts compare as times do: Go leaves out zeros at the end of a fraction."""
    whole, _, fraction = line.partition(" ")[0].rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}"


def _framed(frames: Frames, splitters: dict[str, Splitter], piece: bytes) -> list[str]:
    return [_marked(name, line) for name, data in frames.feed(piece) for line in splitters[name].feed(data)]


def _marked(stream: str, line: str) -> str:
    """As a container's file has it: time, stream, F for a full line."""
    stamp, _, rest = line.partition(" ")
    return f"{stamp} {stream} F {rest}"


def _available(read: Callable[[int], bytes], take: Callable[[bytes], list[str]]) -> tuple[list[str], bool]:
    """What can be read at once without waiting, and whether that was the end."""
    found: list[str] = []
    size = 0
    while size < _PER_POLL:
        try:
            piece = read(_PIECE)
        except BlockingIOError:  # nothing more by now
            return found, False
        except OSError:  # reset by the other side
            return found, True
        if not piece:
            return found, True
        size += len(piece)
        found += take(piece)
    return found, False


def _ask(place: Place, path: str) -> tuple[socket.socket, bytes]:
    """A connection behind the head of a good answer, with what was read of its content. Raises OSError."""
    family = socket.AF_UNIX if place.path is not None else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(place.path if place.path is not None else ("127.0.0.1", place.port))
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        raw = b""
        deadline = time.monotonic() + PATIENCE
        while b"\r\n\r\n" not in raw and len(raw) < _HEAD and time.monotonic() < deadline:
            piece = connection.recv(_PIECE)
            if not piece:
                break
            raw += piece
        head, found, rest = raw.partition(b"\r\n\r\n")
        words = head[:64].split(b" ")
        if not found or not words[0].startswith(b"HTTP/1.") or len(words) < 2:
            raise OSError(errno.EPROTO, f"the engine at {place.name} does not answer as one")
        if words[1] != b"200":
            raise OSError(errno.EIO, f"the engine at {place.name} answered with status {words[1].decode('latin-1')}")
        return connection, rest
    except BaseException:
        connection.close()
        raise
