"""Sockets that a program holds which carries what it takes to another machine (ssh -L, socat …): law 4 ends there.

Whoever wants to speak to a socket by its place (a container engine's, say) asks here first. Only the processes that are
called as such programs are looked into, and only those that the caller may.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from homeport.errors import WireError
from homeport.model.addresses import Protocol
from homeport.services import forwarders
from homeport.system import procfs
from homeport.wire import proc

_LONGEST_NAME = 15  # of a task: TASK_COMM_LEN
_MOST = 8 << 20


def carried_away(paths: Iterable[str], ports: Iterable[int]) -> dict[str | int, str]:
    """Those paths of UNIX sockets and TCP ports of this namespace whose holder carries away what it takes, and why."""
    places: dict[int, str | int] = {**dict(_of_ports(frozenset(ports))), **dict(_of_paths(frozenset(paths)))}
    if not places:
        return {}
    names = frozenset(one[:_LONGEST_NAME] for one in forwarders.PROGRAMS)
    called = [one for one in procfs.all_pids() if (procfs.read_text(f"/proc/{one}/comm") or "").strip() in names]
    found: dict[str | int, str] = {}
    walk = procfs.walk(called, frozenset(places))
    for inode, holders in walk.holders.items():
        reasons = (forwarders.reason(walk.processes[one.pid]) for one in holders)
        why = next((one for one in reasons if one is not None), None)
        if why is not None:
            found[places[inode]] = why
    return found


def _of_ports(ports: frozenset[int]) -> Iterator[tuple[int, int]]:
    for name in ("tcp", "tcp6") if ports else ():
        text = procfs.read_text(f"/proc/thread-self/net/{name}", _MOST) or ""
        try:
            found = proc.net_table(text, Protocol.TCP, None, connections=False)
        except WireError:  # a line that was cut off at the end of what is read
            continue
        yield from ((one.inode, one.port) for one in found if one.inode is not None and one.port in ports)


def _of_paths(paths: frozenset[str]) -> Iterator[tuple[int, str]]:
    """A socket has the path that it was bound by: there may be links in it, and a relative one fits by its name."""
    if not paths:
        return
    for one in proc.unix_listeners(procfs.read_text("/proc/thread-self/net/unix", _MOST) or ""):
        name = os.path.basename(one.path)
        for path in paths:
            if os.path.basename(path) == name and (path == os.path.realpath(one.path) or one.path[:1] not in "/@"):
                yield one.inode, path
