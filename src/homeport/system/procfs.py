"""proc(5), read with care: processes vanish, texts are hostile, rights are missing.

Every function answers None (or leaves out) what vanished or may not be read; nothing here raises OSError.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from homeport.errors import WireError
from homeport.model.owners import Process
from homeport.model.sockets import Holder
from homeport.wire import proc

PROC = "/proc"
_INITIAL_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h
_MOST = 1 << 20
_DELETED = " (deleted)"


def read_bytes(path: str, most: int = _MOST) -> bytes | None:
    """The first `most` bytes of a file of /proc or /sys; None where it is gone or closed to the caller."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:  # gone, or closed to the caller: that is the answer
        return None
    try:
        chunks = []
        while most > 0 and (chunk := os.read(descriptor, min(most, 65536))):
            chunks.append(chunk)
            most -= len(chunk)
        return b"".join(chunks)
    except OSError:  # ESRCH: the process ended between open and read
        return None
    finally:
        os.close(descriptor)


def read_text(path: str, most: int = _MOST) -> str | None:
    """As `read_bytes`, decoded so that no byte is lost (surrogateescape)."""
    data = read_bytes(path, most)
    return None if data is None else data.decode("utf-8", "surrogateescape")


def read_link(path: str) -> str | None:
    """The target of a symbolic link, or None."""
    try:
        return os.readlink(path)
    except OSError:  # gone, or closed to the caller
        return None


def all_pids() -> list[int]:
    """The processes that the caller may know of (hidepid hides the others)."""
    try:
        return [int(name) for name in os.listdir(PROC) if name.isdigit()]
    except OSError:  # no /proc here
        return []


def available() -> bool:
    """Whether /proc is mounted and is Linux's."""
    return os.path.exists(f"{PROC}/self/stat")


class Clock:
    """Turns clock ticks since boot into time of day: now minus the machine's age, read once."""

    def __init__(self) -> None:
        import time

        self._tick = os.sysconf("SC_CLK_TCK")
        self._boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

    def time_of(self, ticks: int) -> datetime:
        """An aware datetime in UTC, exact to a clock tick (10 ms)."""
        return datetime.fromtimestamp(self._boot + ticks / self._tick, UTC)


_clock: Clock | None = None
_users: dict[int, str | None] = {}


def clock() -> Clock:
    """The clock of this call of the program."""
    global _clock
    if _clock is None:
        _clock = Clock()
    return _clock


def user_name(uid: int) -> str | None:
    """The name of a user id by the system's user database, or None."""
    if uid not in _users:
        import pwd

        try:
            _users[uid] = pwd.getpwuid(uid).pw_name
        except KeyError:  # a uid without a name, as in containers
            _users[uid] = None
    return _users[uid]


def read_process(pid: int) -> Process | None:
    """The facts of a process; None when there is no such process (any more)."""
    base = f"{PROC}/{pid}"
    text = read_text(f"{base}/stat")
    if text is None:
        return None
    try:
        fields = proc.stat(text)
    except WireError:  # cut off as the process ended
        return None
    try:
        uid: int | None = os.stat(base).st_uid
    except OSError:  # ended just now
        return None
    arguments = read_text(f"{base}/cmdline")
    exe = read_link(f"{base}/exe")
    deleted = exe is not None and exe.endswith(_DELETED)
    return Process(
        pid=pid,
        start_ticks=fields.starttime,
        start_time=clock().time_of(fields.starttime),
        name=fields.comm,
        cmdline=None if arguments is None else proc.cmdline(arguments),
        exe=exe[: -len(_DELETED)] if exe is not None and deleted else exe,
        exe_deleted=deleted,
        cwd=read_link(f"{base}/cwd"),
        uid=uid,
        user=None if uid is None else user_name(uid),
        ppid=fields.ppid,
        session=fields.session,
        terminal=fields.tty_nr or None,
        state=fields.state,
        cgroup=read_text(f"{base}/cgroup"),
    )


def start_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat alone: the other half of a process's identity."""
    text = read_text(f"{PROC}/{pid}/stat")
    try:
        return None if text is None else proc.stat(text).starttime
    except WireError:  # cut off as the process ended
        return None


class Descriptors:
    """A walk over /proc/*/fd: who holds which socket, and how many processes were closed to the caller."""

    def __init__(self) -> None:
        self.closed = 0
        self.gone = 0

    def holders(self, pids: list[int], wanted: frozenset[int] | None = None) -> dict[int, tuple[Holder, ...]]:
        """Socket inode to its holders, for the inodes `wanted` (None: all).

        readlink(2) and not stat(2): a link's text never waits for the file system behind it.
        """
        found: dict[int, tuple[Holder, ...]] = {}
        for pid in pids:
            ticks: int | None = None
            for descriptor, inode in self._sockets(pid):
                if wanted is not None and inode not in wanted:
                    continue
                if ticks is None:
                    ticks = start_ticks(pid)
                    if ticks is None:  # ended in between
                        break
                holder = Holder(pid, ticks, descriptor)
                found[inode] = (*found[inode], holder) if inode in found else (holder,)
        return found

    def _sockets(self, pid: int) -> Iterator[tuple[int, int]]:
        try:
            folder = os.open(f"{PROC}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:
            self.closed += 1
            return
        except OSError:  # ended
            self.gone += 1
            return
        try:
            names = os.listdir(folder)
            for name in names:
                try:
                    target = os.readlink(name, dir_fd=folder)
                except PermissionError:  # listing is allowed by uid, reading by ptrace(2) access: all of them are shut
                    self.closed += 1
                    return
                except OSError:  # closed in between
                    continue
                if target.startswith("socket:["):
                    yield int(name), int(target[8:-1])
        except OSError:  # ended, or EACCES on the listing of a process that changed its user
            self.closed += 1
        finally:
            os.close(folder)


def sees_every_process() -> str | None:
    """None when /proc shows every process of the machine; else why not, as a phrase."""
    try:
        if os.stat(f"{PROC}/self/ns/pid").st_ino != _INITIAL_PID_NAMESPACE:
            return "this is a PID namespace: processes outside of it cannot be seen"
    except OSError:  # an old kernel without ns links: assume that there are no PID namespaces
        pass
    if os.geteuid() != 0:
        mounts = read_text(f"{PROC}/self/mountinfo") or ""
        for line in mounts.splitlines():
            if " - proc " in line and (
                "hidepid=2" in line or "hidepid=invisible" in line or "hidepid=ptraceable" in line
            ):
                return "/proc is mounted with hidepid: other users' processes cannot be seen"
    return None
