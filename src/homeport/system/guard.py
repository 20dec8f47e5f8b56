"""Whether a packet to an address would stay on this machine (law 4), asked before the first one is sent.

It is followed as the kernel would lead it: by the rules that translate destinations, then by the route. Is that
`local`, it stays. Else it may go on by a virtual wire to another network namespace of this machine, by whose rules and
routes it is followed in the same way, and so may the answer. All else leaves. The rules, and other namespaces, can only
be read with rights (CAP_NET_ADMIN, CAP_SYS_ADMIN); docs/limits.md says what that means for everybody else.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from homeport.errors import HomeportError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.dialling import Target
from homeport.model.explanation import Interface, Route
from homeport.model.firewall import IPNetwork
from homeport.model.snapshot import Netns
from homeport.rules import leaving
from homeport.rules.firewall import host
from homeport.rules.leaving import Led
from homeport.rules.neighbours import destination
from homeport.system import firewall, namespaces, procfs, routing
from homeport.system.addresses import addresses_of

T = TypeVar("T")

FRESH = 2.0
"""For how many seconds rules, and the addresses of other namespaces, are taken as they were read."""
_MOST_HOPS = 4
"""How many namespaces a packet is followed through."""
_LOCAL, _UNICAST = "local", "unicast"
_UNKNOWN = -1  # NETNSA_NSID_NOT_ASSIGNED of linux/net_namespace.h


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


class _Place(NamedTuple):
    """A network namespace and its addresses."""

    netns: Netns
    addresses: frozenset[IPAddress]


class _Packet(NamedTuple):
    """A packet where the rules led it; as whose it goes, and how many namespaces it may still be followed through."""

    led: Led
    protocol: Protocol
    sources: frozenset[IPNetwork]
    hops: int


def why_not(target: Target) -> str | None:
    """Why an address must not be dialled from the namespace that the calling thread is in; None: it may."""
    address = destination(target.address)
    if address.is_multicast:
        return f"{address} is a group, not an address of this machine"
    asked = Led(address, target.port, 0)
    source = routing.route(address, (target.protocol, target.port)).source or address
    packet = _Packet(asked, target.protocol, frozenset((host(source),)), _MOST_HOPS)
    outside = _outside(packet)
    if outside is not None:
        return outside
    for led in leaving.sent(_rules.get(namespaces.own()), address, target.port, target.protocol):
        if int(led.address) == int(address) and led[1:] == asked[1:]:
            continue
        wrong = _outside(packet._replace(led=led))
        if wrong is not None and int(led.address) == int(address):
            return f"a rule of this machine gives {address}:{target.port} another way: {wrong}"
        if wrong is not None:
            return f"a rule of this machine leads {address}:{target.port} to {led.address}: {wrong}"
    return None


def _outside(packet: _Packet) -> str | None:
    """Why a packet would leave the machine from the calling thread's namespace; None: it stays."""
    address = packet.led.address
    route = routing.route(address, (packet.protocol, packet.led.port), mark=packet.led.mark)
    if route.kind == _LOCAL:
        return None
    if route.error is not None:
        return f"{address} is no address of this machine: {route.error}"
    try:
        interfaces = routing.interfaces()
        if routing.missing() is not None:  # no rtnetlink to ask: what interfaces have is this machine's
            if address.is_loopback or any(address == each.ip for one in interfaces for each in one.addresses):
                return None
        elif route.kind == _UNICAST and (wires := leaving.wires(route, interfaces)):
            reasons = _next_door(packet, route.gateway or address, route.interface, wires)
            if reasons:
                return next((one for one in reasons if one is not None), None)
    except HomeportError:  # without a list of interfaces nothing proves that it is near
        pass
    by = f" by {route.interface}" if route.interface else ""
    return f"{address} is no address of this machine: packets to it would leave{by}"


def _next_door(
    packet: _Packet, hop: IPAddress, interface: str | None, wires: tuple[Interface, ...]
) -> list[str | None]:
    """Of each namespace that has the next address and is at the other end of a wire: why the packet does not stay."""
    here = namespaces.own()
    places = _places.get()
    sender = places.get(here or 0) or _Place(Netns(here, None, None, False), frozenset())
    led, rules = packet.led, _rules.get(here)
    named = (leaving.sources(rules, led, packet.protocol, one, interface) for one in packet.sources)
    packet = packet._replace(sources=frozenset(one for some in named for one in some), hops=packet.hops - 1)
    numbers = {one.peer_netns for one in wires}
    reasons: list[str | None] = []
    for inode, other in places.items():
        if inode == here or hop.is_loopback or hop.is_link_local or hop not in other.addresses:
            continue
        number = _number_of(other.netns)
        if number is not None and number not in numbers:
            continue
        found = namespaces.inside([other.netns], lambda _: _arrived(packet, sender))[other.netns]
        if not isinstance(found, OSError):
            reasons.append(found)
        elif hop == led.address:  # it is closed to the caller: its address is all that is known of it
            reasons.append(None)
    return reasons


def _arrived(packet: _Packet, sender: _Place) -> str | None:
    """Why a packet from another namespace, or the answer to it, leaves from that of the calling thread."""
    led = packet.led
    if packet.hops < 0:
        return f"{led.address} is behind too many namespaces"
    rules = _rules.get(namespaces.own())
    for source in packet.sources:
        there = {
            one
            for each in leaving.received(rules, led.address, led.port, packet.protocol, source)
            if (one := _outside(packet._replace(led=each, sources=frozenset((source,))))) is not None
        }
        if there:
            return f"in the network namespace of {led.address} {there.pop()}"
        back = source.network_address
        answer = routing.route(back)
        if source.num_addresses == 1 and answer.kind != _LOCAL and not _leads_back(answer, back, sender):
            by = f" by {answer.interface}" if answer.interface else ""
            return f"the answer of {led.address} to {back} would leave this machine{by}"
    return None


def _leads_back(answer: Route, to: IPAddress, sender: _Place) -> bool:
    """Whether a route leads to the sender's namespace: by a wire to it alone, or to an address that it has."""
    wires = leaving.wires(answer, routing.interfaces())
    number = _number_of(sender.netns)
    alone = number is not None and bool(wires) and all(one.peer_netns == number for one in wires)
    return alone or (bool(wires) and (answer.gateway or to) in sender.addresses)


def _number_of(netns: Netns) -> int | None:
    """By which number the calling thread's namespace knows another; None: that one is closed to the caller."""
    try:
        descriptor = namespaces.opened(netns)
    except OSError:  # see above
        return None
    try:
        found = routing.netns_id(descriptor)
    finally:
        os.close(descriptor)
    return _UNKNOWN if found is None else found


def _read_places() -> dict[int, _Place]:
    """The namespaces that can be seen, by their inodes; that of the program's first thread is one of them."""
    seen = [*namespaces.census(procfs.all_pids()).netns, Netns(_first_namespace(), None, os.getpid(), False)]
    return {one.inode: _Place(one, addresses_of(one)) for one in seen if one.inode is not None}


def _first_namespace() -> int | None:
    try:
        return os.stat("/proc/self/ns/net").st_ino
    except OSError:  # no /proc
        return None


_places = _Kept(_read_places)
_rules = _Kept(firewall.ruleset)
