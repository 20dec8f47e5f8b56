"""Network namespaces as `rules.paths` needs them: rules, sockets, routes, and who is at the other end of a link."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from homeport.model.addresses import IPAddress
from homeport.model.explanation import Interface, Route
from homeport.model.reach import Inquiry, Station
from homeport.model.snapshot import Listener, Netns
from homeport.system import firewall, procfs, routing, sysctl
from homeport.system.addresses import addresses_of
from homeport.system.namespaces import inside, of_process

_MOST_LOOKED_AT = 64


class Stations:
    """The namespaces of one look, each read once, when it is first needed; and `rules.paths.Net` between them."""

    def __init__(self, netns: Iterable[Netns], listeners: Sequence[Listener], names: dict[int, str]) -> None:
        self._netns = tuple(netns)
        self._listeners = listeners
        self._names = names
        self._known: dict[int | None, Station] = {}
        self._routes: dict[tuple[object, ...], Route] = {}

    def station(self, netns: Netns) -> Station:
        """Everything about one namespace."""
        if netns.inode not in self._known:
            self._known[netns.inode] = self._read(self._inhabited(netns))
        return self._known[netns.inode]

    def again(self, netns: Netns) -> Station:
        """The same, read anew: something was changed in it."""
        self._known.pop(netns.inode, None)
        self._routes = {key: one for key, one in self._routes.items() if key[0] != netns.inode}
        return self.station(netns)

    def route(self, station: Station, asked: Inquiry) -> Route:
        """What the kernel of a station does with a packet; see `rules.paths.Net`."""
        key = (station.netns.inode, asked)
        if key not in self._routes:

            def ask(_: Netns) -> Route:
                return routing.route_of(asked)

            found = ask(station.netns) if station.own else inside([station.netns], ask)[station.netns]
            if isinstance(found, OSError):
                why = found.strerror or str(found)
                found = Route(
                    destination=asked.destination, kind=None, interface=None, source=None, gateway=None, error=why
                )
            self._routes[key] = found
        return self._routes[key]

    def beyond(self, station: Station, interface: str, address: IPAddress) -> tuple[Station, str] | None:
        """Who has an address at the other end of an interface, by veth pairs; see `rules.paths.Net`."""
        near = next((one for one in station.interfaces if one.name == interface), None)
        if near is None:
            return None
        for netns in self._netns[:_MOST_LOOKED_AT]:
            if netns.inode == station.netns.inode or address not in addresses_of(netns):
                continue
            other = self.station(netns)
            for one in other.interfaces:
                if any(each.ip == address for each in one.addresses) and _joined(station, near, other, one):
                    return other, one.name
        return None

    def _inhabited(self, netns: Netns) -> Netns:
        """With a process that is in it for longer: one that holds a listener there, or else any that is still there."""
        if netns.own or netns.inode is None:
            return netns
        holders = (
            owner.process.pid for one in self._listeners if one.socket.netns == netns.inode for owner in one.owners
        )
        for some in (holders, (netns.pid,), procfs.all_pids()):
            for pid in some:
                if pid is not None and of_process(pid) == netns.inode:
                    return netns._replace(pid=pid)
        return netns._replace(pid=None)

    def _read(self, netns: Netns) -> Station:
        if netns.own:
            forwards = _forwards()
        else:
            found = inside([netns], lambda _: _forwards())[netns]
            forwards = frozenset() if isinstance(found, OSError) else found
        return Station(
            netns=netns,
            name=self._names.get(netns.inode or 0) or f"network namespace {netns.name or netns.inode}",
            ruleset=firewall.ruleset(netns),
            listeners=tuple(one for one in self._listeners if one.socket.netns in (None, netns.inode)),
            forwards=forwards,
        )


def _joined(here: Station, near: Interface, there: Station, far: Interface) -> bool:
    """Whether a veth pair joins two interfaces, on either side perhaps as a port of a bridge."""
    pairs = [
        (one, other)
        for one in _ports(here, near)
        for other in _ports(there, far)
        if one.peer == other.index and other.peer == one.index
    ]
    if not pairs:
        return False
    number = _number_of(here.netns, there.netns)
    return number is not None and any(one.peer_netns == number for one, _ in pairs)


def _number_of(here: Netns, there: Netns) -> int | None:
    """By which number one namespace knows another: indexes of interfaces alone may be the same in several."""
    found = inside([there], lambda _: os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))[there]
    if isinstance(found, OSError):
        return None
    try:
        number = routing.netns_id(found) if here.own else inside([here], lambda _: routing.netns_id(found))[here]
        return None if isinstance(number, OSError) else number
    finally:
        os.close(found)


def _ports(station: Station, interface: Interface) -> list[Interface]:
    found = (one for one in station.interfaces if one is interface or one.master == interface.index)
    return [one for one in found if one.kind == "veth"]


def _forwards() -> frozenset[str]:
    """The families that the calling thread's namespace passes on packets of."""
    found = set()
    if sysctl.number("net", "ipv4", "ip_forward"):
        found.add("ip")
    if sysctl.number("net", "ipv6", "conf", "all", "forwarding"):
        found.add("ip6")
    return frozenset(found)
