"""Sockets that a program holds which carries what it takes to another machine (ssh -L, socat …): law 4 ends there.

Whoever wants to speak to a socket by its place (a container engine's, say) asks here first. Only the processes that are
called as such programs are looked into, and only those that the caller may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeport.services import forwarders
from homeport.system import procfs

_LISTENS, _ACCEPTS = "0A", 0x10000  # TCP_LISTEN of net/tcp_states.h; __SO_ACCEPTCON of linux/net.h
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
    """By proc_net_tcp.txt of the kernel's documentation."""
    for name in ("tcp", "tcp6") if ports else ():
        for line in (procfs.read_text(f"/proc/thread-self/net/{name}", _MOST) or "").splitlines()[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == _LISTENS and int(words[1].rpartition(":")[2], 16) in ports:
                yield int(words[9]), int(words[1].rpartition(":")[2], 16)


def _of_paths(paths: frozenset[str]) -> Iterator[tuple[int, str]]:
    """By /proc/net/unix, proc(5)."""
    if not paths:
        return
    for line in (procfs.read_text("/proc/thread-self/net/unix", _MOST) or "").splitlines()[1:]:
        words = line.split(None, 7)
        if len(words) == 8 and words[7] in paths and int(words[3], 16) & _ACCEPTS:
            yield int(words[6]), words[7]
