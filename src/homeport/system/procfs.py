"""proc(5), read with care: processes vanish, texts are hostile, rights are missing.

Every function answers None (or leaves out) what vanished or may not be read; nothing here raises OSError.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from homeport.errors import WireError
from homeport.lean import NamedTuple
from homeport.model.owners import Process
from homeport.model.sockets import Holder
from homeport.system import parallel
from homeport.wire import proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROC = "/proc"
_INITIAL_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h
_MOST = 1 << 20
_STARVED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))
_DELETED = " (deleted)"


def read_bytes(path: str, most: int = _MOST, *, folder: int | None = None) -> bytes | None:
    """The first `most` bytes of a file of /proc or /sys (below an open `folder`); None: gone, or not for the caller."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
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
    folder = _open_folder(f"{PROC}/{pid}")
    if folder is None:
        return None
    try:
        return _facts(pid, folder)
    finally:
        os.close(folder)


def start_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat alone: the other half of a process's identity."""
    text = read_text(f"{PROC}/{pid}/stat")
    try:
        return None if text is None else proc.stat(text).starttime
    except WireError:  # cut off as the process ended
        return None


class Walk(NamedTuple):
    """What a walk over /proc/*/fd found: holders by socket inode, and the facts of each holder.

    `closed` counts the processes that this user may not look into, `starved` those for which this process had no
    descriptor or memory left.
    """

    holders: dict[int, tuple[Holder, ...]]
    processes: dict[int, Process]
    closed: int
    starved: int


def walk(pids: Sequence[int], wanted: frozenset[int]) -> Walk:
    """Who of `pids` holds the sockets with the inodes `wanted`.

    Half of a crowd is walked by a forked child: nearly all of the time is spent in the kernel.
    """
    holders: dict[int, tuple[Holder, ...]] = {}
    processes: dict[int, Process] = {}
    closed = starved = 0
    for part in parallel.halves(lambda some: _walk(some, wanted), pids):
        closed += part[0]
        starved += part[1]
        for facts, held in part[2]:
            process = processes[facts[0]] = _dated(facts)
            for inode, descriptor in held:
                holder = Holder(process.pid, process.start_ticks, descriptor)
                holders[inode] = (*holders[inode], holder) if inode in holders else (holder,)
    return Walk(holders, processes, closed, starved)


class Census:
    """The facts of a crowd, read by a second processor while the caller asks the kernel for sockets."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pending = parallel.begin(lambda: _all_facts(pids), len(pids))

    def processes(self) -> dict[int, Process]:
        """By pid; empty where it was not worth the while. To be asked once."""
        found = None if self._pending is None else self._pending.result()
        return {} if found is None else {facts[0]: _dated(facts) for facts in found}


def _all_facts(pids: Sequence[int]) -> list[tuple[Any, ...]]:
    found = []
    for pid in pids:
        process = read_process(pid)
        if process is not None and process.exe is not None:  # a kernel thread has none, and holds nothing
            found.append(tuple(process._replace(start_time=None)))
    return found


def _dated(facts: tuple[Any, ...]) -> Process:
    """A process that came through a pipe, which carries no datetime."""
    process = Process(*facts)
    return process if process.start_ticks is None else process._replace(start_time=clock().time_of(process.start_ticks))


def _walk(pids: Sequence[int], wanted: frozenset[int]) -> tuple[int, int, list[tuple[Any, ...]]]:
    """`Walk.closed`, `Walk.starved`, and (facts, [(inode, descriptor), …]) of who holds a wanted socket."""
    closed = starved = 0
    found: list[tuple[Any, ...]] = []
    for pid in pids:
        try:
            # all is read below one descriptor of /proc/PID, which a later process with this pid does not answer to
            folder = os.open(f"{PROC}/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                held = _held(folder, wanted)
                facts = _facts(pid, folder) if held else None
            finally:
                os.close(folder)
        except PermissionError:
            closed += 1
        except OSError as error:  # ended, which is no news, or nothing left to read it with
            starved += error.errno in _STARVED
        else:
            if facts is not None:
                found.append((tuple(facts._replace(start_time=None)), held))
    return closed, starved, found


def _held(folder: int, wanted: frozenset[int]) -> list[tuple[int, int]]:
    """(inode, descriptor) of the wanted sockets below an open /proc/PID. Raises OSError.

    readlink(2) and not stat(2): a link's text never waits for the file system behind it.
    """
    held = []
    descriptors = os.open("fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        readlink = os.readlink
        for name in os.listdir(descriptors):
            try:
                target = readlink(name, dir_fd=descriptors)
            except FileNotFoundError:  # closed in between
                continue
            if target.startswith("socket:["):
                inode = int(target[8:-1])
                if inode in wanted:
                    held.append((inode, int(name)))
    finally:
        os.close(descriptors)
    return held


def _open_folder(path: str) -> int | None:
    try:
        return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # ended, or hidden
        return None


def _facts(pid: int, folder: int) -> Process | None:
    """The facts of a process below an open /proc/PID."""
    text = _read(folder, "stat")
    try:
        if text is None:
            return None
        fields = proc.stat(text)
        uid = os.fstat(folder).st_uid
    except (WireError, OSError):  # cut off as the process ended
        return None
    arguments = _read(folder, "cmdline")
    exe = _link(folder, "exe")
    deleted = exe is not None and exe.endswith(_DELETED)
    return Process(
        pid=pid,
        start_ticks=fields.starttime,
        start_time=clock().time_of(fields.starttime),
        name=fields.comm,
        cmdline=None if arguments is None else proc.cmdline(arguments),
        exe=exe[: -len(_DELETED)] if exe is not None and deleted else exe,
        exe_deleted=deleted,
        cwd=_link(folder, "cwd"),
        uid=uid,
        user=user_name(uid),
        ppid=fields.ppid,
        session=fields.session,
        terminal=fields.tty_nr or None,
        state=fields.state,
        cgroup=_read(folder, "cgroup"),
        mount_namespace=_link(folder, "ns/mnt"),
    )


def _read(folder: int, name: str) -> str | None:
    """A small file below an open /proc/PID, in one read(2) for as long as it is smaller than the buffer."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
        try:
            data = chunk = os.read(descriptor, 65536)
            while len(chunk) == 65536 and len(data) < _MOST:
                chunk = os.read(descriptor, 65536)
                data += chunk
        finally:
            os.close(descriptor)
    except OSError:  # ended, or closed to the caller
        return None
    return data.decode("utf-8", "surrogateescape")


def _link(folder: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:  # ended, a kernel thread, or closed to the caller
        return None


def in_pid_namespace() -> bool:
    """Whether there may be processes outside of what this process can see (pid_namespaces(7))."""
    try:
        return os.stat(f"{PROC}/self/ns/pid").st_ino != _INITIAL_PID_NAMESPACE
    except OSError:  # an old kernel without ns links: assume that there are no PID namespaces
        return False


def sees_every_process() -> str | None:
    """None when /proc shows every process of the machine; else why not, as a phrase."""
    if sys.platform == "linux" and not available():
        return "/proc is not mounted: no process and no other network namespace can be seen"
    if in_pid_namespace():
        return "this is a PID namespace: processes outside of it cannot be seen"
    if os.geteuid() != 0 and proc.hides_processes(read_text(f"{PROC}/self/mountinfo") or "", PROC):
        return "/proc is mounted with hidepid: other users' processes cannot be seen: run with sudo"
    return None
