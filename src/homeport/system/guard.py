"""Whether a packet to an address would stay on this machine (law 4), asked before the first one is sent.

Three questions, each to the kernel of the namespace that is dialled from. Is the route of the address `local`? If it is
not: does the address belong to another network namespace here, with nothing but a virtual wire between? And where rules
translate destinations: is that so of every address that they may lead to? The rules can only be read with
CAP_NET_ADMIN; docs/limits.md says what that means for everybody else.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from homeport.errors import HomeportError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.dialling import Target
from homeport.model.snapshot import Netns
from homeport.rules.leaving import destinations, next_door
from homeport.rules.neighbours import destination
from homeport.system import firewall, namespaces, procfs, routing
from homeport.system.addresses import addresses_of

T = TypeVar("T")

FRESH = 2.0
"""For how many seconds rules, and the addresses of other namespaces, are taken as they were read."""
_LOCAL, _UNICAST = "local", "unicast"


class _Kept(Generic[T]):
    """What is read once for many connections, though many threads ask at once, and again when it is not fresh."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._known: dict[int | None, tuple[float, T]] = {}

    def get(self, key: int | None = None) -> T:
        """What is known by that key."""
        with self._lock:
            found = self._known.get(key)
            if found is None or time.monotonic() - found[0] > FRESH:
                found = self._known[key] = (time.monotonic(), self._read())
            return found[1]


def why_not(target: Target) -> str | None:
    """Why an address must not be dialled from the namespace that the calling thread is in; None: it may."""
    address = destination(target.address)
    service = (target.protocol, target.port)
    outside = _outside(address, service)
    if outside is not None:
        return outside
    rules = _rules.get(namespaces.own())
    for other in destinations(rules, address, target.port, target.protocol):
        if int(other) != int(address) and _outside(other, service) is not None:
            return f"a rule of this machine leads {address}:{target.port} to {other}, which is another one"
    return None


def _outside(address: IPAddress, service: tuple[Protocol, int]) -> str | None:
    """Why a packet to exactly this address would leave; None: it stays."""
    if address.is_multicast:
        return f"{address} is a group, not an address of this machine"
    route = routing.route(address, service)
    if route.kind == _LOCAL:
        return None
    if route.error is not None:
        return f"{address} is no address of this machine: {route.error}"
    try:
        interfaces = routing.interfaces()
        if routing.missing() is not None:  # no rtnetlink to ask: what interfaces have is this machine's
            if address.is_loopback or any(address == each.ip for one in interfaces for each in one.addresses):
                return None
        elif route.kind == _UNICAST and next_door(route, interfaces, _neighbours()):
            return None
    except HomeportError:  # without a list of interfaces nothing proves that it is near
        pass
    by = f" by {route.interface}" if route.interface else ""
    return f"{address} is no address of this machine: packets to it would leave{by}"


def _neighbours() -> frozenset[IPAddress]:
    """The addresses of the namespaces that can be seen, but for the one that the calling thread is in."""
    here = namespaces.own()
    found = (addresses for inode, addresses in _addresses.get().items() if inode != here)
    return frozenset(one for some in found for one in some if not (one.is_loopback or one.is_link_local))


def _read_addresses() -> dict[int, frozenset[IPAddress]]:
    """What addresses each namespace has, by its inode; that of the program's first thread is one of them."""
    seen = [*namespaces.census(procfs.all_pids()).netns, Netns(_first_namespace(), None, os.getpid(), False)]
    return {one.inode: addresses_of(one) for one in seen if one.inode is not None}


def _first_namespace() -> int | None:
    try:
        return os.stat("/proc/self/ns/net").st_ino
    except OSError:  # no /proc
        return None


_addresses = _Kept(_read_addresses)
_rules = _Kept(firewall.ruleset)
