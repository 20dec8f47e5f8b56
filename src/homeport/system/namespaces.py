"""Network namespaces (network_namespaces(7)): which there are, and how to open something inside one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from homeport.lean import NamedTuple
from homeport.model.snapshot import Netns
from homeport.model.sockets import Socket
from homeport.system import procfs
from homeport.wire import proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")
_CLONE_NEWNET = 0x40000000


class Census(NamedTuple):
    """The namespaces that were found, and in a line each what could not be told."""

    netns: tuple[Netns, ...]
    limits: tuple[str, ...]


def own() -> int | None:
    """The inode number of the caller's network namespace."""
    try:
        return os.stat("/proc/thread-self/ns/net").st_ino
    except OSError:  # no /proc, or a kernel without network namespaces
        return None


def mounted() -> dict[int, str]:
    """Namespaces that are bind-mounted somewhere (`ip netns add` makes one under /run/netns): inode to path."""
    return proc.nsfs_mounts(procfs.read_text("/proc/self/mountinfo") or "")


def census(pids: Iterable[int]) -> Census:
    """Every network namespace that one of `pids` is in, or that is mounted.

    The namespace of somebody else's process may not be read (ptrace(2) access), yet each namespace has tables of its
    own under /proc/PID/net, whose inode numbers tell namespaces apart: those come back with `inode` None and a pid.
    """
    mine = own()
    names = mounted()
    found: dict[int | None, Netns] = {mine: Netns(mine, _name(names.get(mine or 0)), os.getpid(), True)}
    tables = {_table("self")}
    hidden: list[Netns] = []
    for pid in pids:
        table = _table(pid)
        if table is None or table in tables:
            continue
        tables.add(table)
        try:
            inode = int(os.readlink(f"/proc/{pid}/ns/net")[5:-1])
        except PermissionError:
            hidden.append(Netns(None, None, pid, False))
        except OSError:  # ended
            tables.discard(table)
        else:
            found.setdefault(inode, Netns(inode, _name(names.get(inode)), pid, False))
    for inode, path in names.items():
        if inode not in found:
            found[inode] = Netns(inode, _name(path), None, False)
    return Census((*found.values(), *hidden), ())


def inside(netns: Iterable[Netns], action: Callable[[Netns], T]) -> dict[Netns, T | OSError]:
    """`action` run inside each namespace by a thread of its own, so that the caller's never leaves its own.

    The answer holds the OSError of setns(2) where a namespace cannot be entered.
    """
    import threading

    netns = tuple(netns)
    answers: dict[Netns, T | OSError] = {}

    def work() -> None:
        paths = mounted()
        for one in netns:
            try:
                descriptor = opened(one, paths)
                try:
                    _setns(descriptor)
                finally:
                    os.close(descriptor)
                answers[one] = action(one)
            except OSError as error:
                answers[one] = error

    thread = threading.Thread(target=work, name="homeport-netns", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # RLIMIT_NPROC
        return dict.fromkeys(netns, OSError(errno.EAGAIN, str(error)))
    thread.join()
    return answers


def of_process(pid: int) -> int | None:
    """The inode number of the network namespace of a process; None: ended, or closed to the caller."""
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:  # ended, or closed to the caller
        return None


def enter(netns: Netns) -> None:
    """Bring the calling thread into a namespace for good; threads that it starts from then on are there too.

    Raises the OSError of open(2) or setns(2).
    """
    descriptor = opened(netns)
    try:
        _setns(descriptor)
    finally:
        os.close(descriptor)


def opened(netns: Netns, paths: Mapping[int, str] | None = None) -> int:
    """A descriptor of a namespace; `paths` are those of `mounted()`. Raises the OSError of open(2)."""
    path = f"/proc/{netns.pid}/ns/net" if netns.pid is not None else None
    if path is None:
        path = (mounted() if paths is None else paths).get(netns.inode or 0)
    if path is None:
        raise ProcessLookupError(errno.ESRCH, "the namespace has no process and no mount")
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def name_devices(sockets: Sequence[Socket], netns: Iterable[Netns]) -> Sequence[Socket]:
    """Sockets that are bound to an interface (SO_BINDTODEVICE) with its name, as their own namespace has it."""
    bound = {one.netns for one in sockets if one.interface is not None}
    if not bound:
        return sockets
    from socket import if_nameindex

    names: dict[tuple[int | None, int | None], str] = {}
    others = [one for one in netns if one.inode in bound and not one.own]
    for one in netns:
        if one.own and one.inode in bound:
            names |= {(one.inode, index): name for index, name in if_nameindex()}
    for one, found in inside(others, lambda _: if_nameindex()).items() if others else ():
        if not isinstance(found, OSError):  # it cannot be entered: the number has to do
            names |= {(one.inode, index): name for index, name in found}
    return [
        one if one.interface is None else one._replace(device=names.get((one.netns, one.interface))) for one in sockets
    ]


def _setns(descriptor: int) -> None:
    if hasattr(os, "setns"):  # Python 3.12
        os.setns(descriptor, _CLONE_NEWNET)
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _table(pid: int | str) -> int | None:
    try:
        return os.stat(f"/proc/{pid}/net/tcp").st_ino
    except OSError:  # ended, or hidden
        return None


def _name(path: str | None) -> str | None:
    return None if path is None else path.rsplit("/", 1)[-1]
