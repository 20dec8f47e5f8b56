"""`homeport ls`: what listens on this machine, whose it is, and from where it can be addressed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import IPv6Address

from homeport.lean import NamedTuple
from homeport.model.addresses import IPAddress, Protocol, Scope
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Owner, Process, Reason, Unattributed
from homeport.model.snapshot import Listener, Look, Netns, Query, Snapshot
from homeport.model.sockets import Holder, Socket
from homeport.rules import attribution
from homeport.rules.naming import label
from homeport.rules.scope import scope
from homeport.system import namespaces, procfs, sources
from homeport.system.belongings import Belonging, Belongings

ALL_PROTOCOLS = frozenset(Protocol)
EVERYTHING = Query(ALL_PROTOCOLS)

_CERTAIN = Confidence.CERTAIN
_new = tuple.__new__  # a NamedTuple's own constructor takes three times as long
_EVIDENCE = {
    "bpf": (Evidence("bpf task_file iterator", "descriptor table of the process, read in the kernel"),),
    "netlink": (Evidence("/proc/PID/fd", "descriptor links to the socket's inode"),),
    "psutil": (Evidence("psutil", "net_connections()"),),
}


class Filter(NamedTuple):
    """What to keep of a listing; None keeps everything. Names match as shell patterns, without regard to case.

    A socket's place fits when it is one of `endpoints`, or when its port is one of `ports` and its address one of
    `addresses`. An address without a zone means it in every zone, an IPv4 address also what is mapped to it.
    `netns` holds names or inode numbers as text; `projects` match a project's name or root folder.
    """

    ports: frozenset[int] | None = None
    addresses: frozenset[IPAddress] | None = None
    endpoints: frozenset[tuple[IPAddress, int]] | None = None
    scopes: frozenset[Scope] | None = None
    netns: tuple[str, ...] | None = None
    pids: frozenset[int] | None = None
    users: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None
    containers: tuple[str, ...] | None = None


def look(query: Query = EVERYTHING, source: str | None = None, keep: Filter | None = None) -> Snapshot:
    """The listeners (with `query.connections` all sockets) of this machine, with their owners.

    Raises SourceError where no source works, UsageError for an unknown one.
    """
    taken_at = datetime.now(UTC)
    chosen, seen = sources.look(query, source)
    gather = _Gather(chosen, seen)
    pairs = zip(namespaces.name_devices(seen.sockets, seen.netns), seen.holders, strict=True)
    listeners: list[Listener] = []
    if keep is None:
        listeners = [gather.listener(socket, held) for socket, held in pairs]
    else:
        names = _netns_numbers(seen.netns, keep.netns)
        for socket, held in pairs:
            if _socket_fits(socket, held, keep, names):
                one = gather.listener(socket, held)
                if _owners_fit(one, keep):
                    listeners.append(one)
    limits = dict.fromkeys((*seen.limits, *gather.belongings.limits))
    processes = {pid: process for pid, (process, _) in gather.known.items() if process is not None}
    return Snapshot(taken_at, chosen.name, tuple(listeners), seen.netns, processes, tuple(limits))


class _Gather:
    """Joins sockets with processes and what these belong to, each process read once."""

    def __init__(self, source: sources.Source, seen: Look) -> None:
        self.known: dict[int, tuple[Process | None, Belonging | None]] = {}
        self.belongings = Belongings()
        self._source = source
        self._came_along = seen.processes
        self._complete = seen.owners_complete
        self._blind = None if self._complete else _blindness()
        self._evidence = _EVIDENCE[source.name]
        self._caller = os.geteuid() if hasattr(os, "geteuid") else None
        self._own = next((one.inode for one in seen.netns if one.own), None)
        self._reasons: dict[tuple[object, ...], Unattributed] = {}
        self._scopes: dict[int, Scope] = {}  # by id(): sources share address objects, and hashing one is slow

    def listener(self, socket: Socket, held: tuple[Holder, ...]) -> Listener:
        """One row: exactly one of owners and the reason why there are none."""
        address = socket.address
        reach = self._scopes.get(id(address)) or self._scopes.setdefault(id(address), scope(address))
        owners = self._owners(held) if held else ()
        return _new(Listener, (socket, reach, owners, None if owners else self._nobody(socket, bool(held)), None))

    def _owners(self, held: tuple[Holder, ...]) -> tuple[Owner, ...]:
        if len(held) == 1:  # nearly always, and ten thousand times: no detours
            pid, ticks, descriptor = held[0]
            process, belonging = self.known.get(pid) or self._read(pid)
            if process is None or belonging is None or (ticks is not None and ticks != process.start_ticks):
                return ()
            numbers = () if descriptor is None else (descriptor,)
            return (_new(Owner, (process, numbers, *belonging, _CERTAIN, self._evidence)),)
        by_pid: dict[int, list[Holder]] = {}
        for holder in held:
            by_pid.setdefault(holder.pid, []).append(holder)
        found = [owner for pid, some in by_pid.items() if (owner := self._owner(pid, some)) is not None]
        return tuple(sorted(found, key=_age))

    def _owner(self, pid: int, held: Sequence[Holder]) -> Owner | None:
        """One process with its descriptors; None when it is gone, or when its pid has a new process by now."""
        process, belonging = self.known.get(pid) or self._read(pid)
        if process is None or belonging is None or held[0].start_ticks not in (None, process.start_ticks):
            return None
        numbers = tuple([one.descriptor for one in held if one.descriptor is not None])
        return Owner(process, numbers, *belonging, _CERTAIN, self._evidence)

    def _read(self, pid: int) -> tuple[Process | None, Belonging | None]:
        process = self._came_along.get(pid) or self._source.process(pid)
        self.known[pid] = answer = (process, None if process is None else self.belongings.of(process))
        return answer

    def _nobody(self, socket: Socket, raced: bool) -> Unattributed:
        key = (socket.state, socket.uid, socket.netns, socket.inode is None, raced)
        found = self._reasons.get(key)
        if found is None:
            found = self._reasons[key] = self._reason(socket, raced)
        return found

    def _reason(self, socket: Socket, raced: bool) -> Unattributed:
        return attribution.unattributed(
            socket,
            raced=raced,
            complete=self._complete,
            caller=self._caller,
            user=None if socket.uid is None or self._caller is None else procfs.user_name(socket.uid),
            own_netns=self._own,
            blind=self._blind,
        )


def _blindness() -> tuple[Reason, str] | None:
    """Why more rights would not name every owner, or None."""
    if sys.platform != "linux":
        return None
    if not procfs.available():
        return Reason.UNKNOWN, "without /proc no process can be named"
    if procfs.in_pid_namespace():
        return Reason.OTHER_NAMESPACE, "no process of this PID namespace that may be read holds it"
    return None


def _age(owner: Owner) -> tuple[int, int]:
    return owner.process.start_ticks or 0, owner.process.pid


def _netns_numbers(netns: tuple[Netns, ...], wanted: tuple[str, ...] | None) -> frozenset[int | None] | None:
    if wanted is None:
        return None
    return frozenset(
        one.inode
        for one in netns
        if str(one.inode) in wanted or (one.name is not None and one.name in wanted) or (one.own and "own" in wanted)
    )


def _socket_fits(socket: Socket, held: tuple[Holder, ...], keep: Filter, netns: frozenset[int | None] | None) -> bool:
    """What can be told before any process is read."""
    return (
        _place_fits(socket, keep)
        and (netns is None or socket.netns in netns)
        and (keep.scopes is None or scope(socket.address) in keep.scopes)
        and (keep.pids is None or any(one.pid in keep.pids for one in held))
    )


def _place_fits(socket: Socket, keep: Filter) -> bool:
    if keep.endpoints is None and keep.addresses is None:
        return keep.ports is None or socket.port in keep.ports
    spellings = _spellings(socket.address)
    if keep.endpoints is not None:
        if any((address, socket.port) in keep.endpoints for address in spellings):
            return True
        if keep.ports is None and keep.addresses is None:
            return False
    return (keep.ports is None or socket.port in keep.ports) and (
        keep.addresses is None or not keep.addresses.isdisjoint(spellings)
    )


def _spellings(address: IPAddress) -> tuple[IPAddress, ...]:
    """The address, and what it is without its zone (RFC 4007 §11) or its mapping (RFC 4291 §2.5.5.2)."""
    if address.version == 6:
        if address.scope_id:
            return address, IPv6Address(address.packed)
        if address.ipv4_mapped is not None:
            return address, address.ipv4_mapped
    return (address,)


def _owners_fit(listener: Listener, keep: Filter) -> bool:
    if keep.users is not None and not _matches(keep.users, *_users(listener)):
        return False
    owners = listener.owners
    if keep.names is not None and not _matches(keep.names, *(text for one in owners for text in _names(one.process))):
        return False
    projects = (text for one in owners if one.project for text in (one.project.name, one.project.root))
    if keep.projects is not None and not _matches(keep.projects, *projects):
        return False
    contained = (text for one in owners if one.container for text in (one.container.name or "", one.container.id))
    return keep.containers is None or _matches(keep.containers, *contained, prefix=True)


def _users(listener: Listener) -> list[str]:
    found = [text for one in listener.owners for text in (one.process.user or "", str(one.process.uid))]
    if not found and listener.socket.uid is not None:
        return [str(listener.socket.uid), procfs.user_name(listener.socket.uid) or ""]
    return found


def _names(process: Process) -> tuple[str, str]:
    return process.name, label(process)


def _matches(patterns: tuple[str, ...], *texts: str, prefix: bool = False) -> bool:
    from fnmatch import fnmatchcase

    for pattern in patterns:
        folded = pattern.casefold()
        for text in texts:
            name = text.casefold()
            if fnmatchcase(name, folded) or (prefix and len(folded) >= 4 and name.startswith(folded)):
                return True
    return False
