"""The way of a connection's first packet to a listener and of the answer back, through one namespace or several.

At each step stands who decides in the kernel: the base chains of the packet filter, the routing decision, the choice of
a socket, and then the same for the answer. What the routing decides is asked of the kernel itself, through `Net`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from typing import Protocol as Seam

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.explanation import Route
from homeport.model.firewall import Action, Hook, IPNetwork, Packet
from homeport.model.reach import Answer, Station
from homeport.model.snapshot import Listener
from homeport.rules.chains import End, Place, World, traverse
from homeport.rules.firewall import answer, moved
from homeport.rules.neighbours import answerers, endpoint_text
from homeport.rules.packets import is_local

_MOST_STATIONS = 4
_LOOPBACK = 1
_HERE = frozenset(("local", "broadcast"))
_REFUSALS = {
    "Invalid cross-device link": "the kernel drops it: by its source it should not come in there (rp_filter)",
    "Invalid argument": "the kernel drops it as a martian (RFC 1812 section 5.3.7; route_localnet is off)",
    "No route to host": "there is no route, or packets are not passed on (ip_forward is off)",
    "Network is unreachable": "there is no route",
}


class Net(Seam):
    """What is asked of the kernel; see `system.reaching`."""

    def route(
        self, station: Station, destination: IPAddress, source: IPAddress | None, incoming: str | None, mark: int
    ) -> Route:
        """What a station does with a packet, by its routes."""
        ...

    def beyond(self, station: Station, interface: str, address: IPAddress) -> tuple[Station, str] | None:
        """The station that has `address` at the other end of an interface, and its own interface there."""
        ...


class Hop(NamedTuple):
    """A station that passed the packet on: the packet as it was judged there, and between which interfaces."""

    station: Station
    packet: Packet
    iif: str
    oif: str


class Trip(NamedTuple):
    """A packet on its way. `left`: the station of its sender, as it left there; None for one from outside."""

    net: Net
    hops: tuple[Hop, ...] = ()
    left: Hop | None = None
    why: tuple[Evidence, ...] = ()


class Arrival(NamedTuple):
    """Where one way ends. `listener`: who accepts; `connects`: whether somebody does, None where not known."""

    answer: Answer
    connects: bool | None
    listener: Listener | None
    why: tuple[Evidence, ...]
    conditions: tuple[str, ...]
    leaves: bool = False


def from_outside(
    net: Net, station: Station, interface: str, source: IPNetwork, address: IPAddress, port: int, protocol: Protocol
) -> list[Arrival]:
    """A packet that comes in by an interface of a station."""
    packet = Packet(
        hook=Hook.PREROUTING,
        protocol=protocol,
        source=source,
        destination=address,
        port=(port, port),
        iif=interface,
    )
    if address.version == 6 and address.is_loopback and interface != "lo":
        said = Evidence("ip6_rcv of net/ipv6/ip6_input.c", "the kernel drops packets to ::1 that come from outside")
        return [Arrival(Answer.NO, False, None, (said,), ())]
    return _arrive(Trip(net), station, interface, World(packet))


def from_station(
    net: Net, station: Station, address: IPAddress, port: int, protocol: Protocol, uid: int | None = None
) -> list[Arrival]:
    """A packet of a process in a station."""
    route = net.route(station, address, None, None, 0)
    if route.error is not None:
        said = Evidence(f"routes of {station.name}", f"{address}: {route.error}")
        return [Arrival(Answer.NO, False, None, (said,), ())]
    source = route.source or _own_source(address)
    packet = Packet(
        hook=Hook.OUTPUT,
        protocol=protocol,
        source=ip_network(source),
        destination=address,
        port=(port, port),
        source_port=station.ruleset.ephemeral,
        oif=_leaving(route),
        uid=uid,
    )
    return _spread(Trip(net), station, traverse(station.ruleset, [World(packet)]), _departed)


def _own_source(address: IPAddress) -> IPAddress:
    return ip_address("127.0.0.1") if address.version == 4 and address.is_loopback else address


def _leaving(route: Route) -> str:
    return "lo" if route.kind in _HERE or route.interface is None else route.interface


_Step = Callable[[Trip, Station, World], list[Arrival]]


def _spread(trip: Trip, station: Station, ends: Iterable[End], step: _Step) -> list[Arrival]:
    """What becomes of each way after a hook: those that passed take the next step."""
    found: list[Arrival] = []
    for end in ends:
        world = end.world
        if end.action is Action.ACCEPT:
            found += step(trip._replace(why=_told(trip.why, station, world.led)), station, world)
            continue
        why = (*_told(trip.why, station, world.led), _said(station, end))
        kind = Answer.UNKNOWN if end.action is Action.UNKNOWN else Answer.NO
        connects = None if end.action is Action.UNKNOWN else False
        found.append(Arrival(kind, connects, None, why, world.conditions))
    return found


def _told(why: tuple[Evidence, ...], station: Station, led: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    new = (Evidence(f"{one.source}, in {station.name}", one.text) for one in led)
    return (*why, *(one for one in new if one not in why))


def _said(station: Station, end: End) -> Evidence:
    place = end.place
    if place is None:
        return Evidence(f"firewall of {station.name}", "too much to follow")
    what = {Action.DROP: "dropped", Action.REJECT: "rejected"}.get(end.action, "may be stopped")
    by = f"policy {place.chain.policy.value}" if place.rule is None else place.rule.text
    return Evidence(f"{place.text}, in {station.name}", f"{what} by {by}")


def _arrive(trip: Trip, station: Station, interface: str, world: World) -> list[Arrival]:
    """Ingress and prerouting, then the routing decision."""
    if len(trip.hops) >= _MOST_STATIONS:
        return [_lost(trip, world, f"{station.name}: more than {_MOST_STATIONS} namespaces on the way")]
    coming = moved(world, Hook.INGRESS, iif=interface)

    def routed(trip: Trip, station: Station, world: World) -> list[Arrival]:
        return _routed(trip, station, interface, world)

    def prerouting(trip: Trip, station: Station, world: World) -> list[Arrival]:
        again = moved(world, Hook.PREROUTING, iif=interface)
        return _spread(trip, station, traverse(station.ruleset, [again]), routed)

    return _spread(trip, station, traverse(station.ruleset, [coming]), prerouting)


def _routed(trip: Trip, station: Station, interface: str, world: World) -> list[Arrival]:
    packet = world.packet
    source = sample(packet.source, station)
    route = trip.net.route(station, packet.destination, source, interface, packet.mark or 0)
    if route.error is not None:
        said = f"{packet.destination}: {_REFUSALS.get(route.error, route.error)}"
        if packet.destination.is_loopback:
            said = (
                f"{packet.destination} is loopback: what comes for it from outside is dropped (route_localnet is off)"
            )
        return [_stopped(trip, world, Evidence(f"routes of {station.name}, for packets by {interface}", said))]
    if route.kind in _HERE:
        entering = moved(world, Hook.INPUT, iif=interface)
        return _spread(trip, station, traverse(station.ruleset, [entering]), _received)
    if route.interface is None or route.kind != "unicast":
        why = Evidence(f"routes of {station.name}", f"{packet.destination}: {route.kind}")
        return [_stopped(trip, world, why)]
    if packet.family not in station.forwards:
        setting = "net.ipv4.ip_forward" if packet.family == "ip" else "net.ipv6.conf.all.forwarding"
        return [_stopped(trip, world, Evidence(f"{setting} of {station.name}", "packets are not passed on"))]
    out = route.interface
    hop = Hop(station, replace(packet, hook=Hook.FORWARD, iif=interface, oif=out), interface, out)
    onward = trip._replace(hops=(*trip.hops, hop))

    def leave(trip: Trip, station: Station, world: World) -> list[Arrival]:
        return _leave(trip, station, out, route.gateway or world.packet.destination, world)

    forwarded = traverse(station.ruleset, [moved(world, Hook.FORWARD, iif=interface, oif=out)])
    return _spread(onward, station, forwarded, leave)


def _leave(trip: Trip, station: Station, out: str, towards: IPAddress, world: World) -> list[Arrival]:
    """Postrouting and egress, then whoever is at the other end."""

    def outside(trip: Trip, station: Station, world: World) -> list[Arrival]:
        found = trip.net.beyond(station, out, towards)
        if found is None:
            why = Evidence(f"routes of {station.name}", f"it leaves by {out} for {world.packet.destination}")
            condition = f"what {world.packet.destination} answers, which cannot be seen from here"
            return [Arrival(Answer.UNKNOWN, None, None, (*trip.why, why), (condition,), leaves=True)]
        other, incoming = found
        fresh = World(_untranslated(world.packet), conditions=world.conditions)
        return _arrive(trip, other, incoming, fresh)

    def posted(trip: Trip, station: Station, world: World) -> list[Arrival]:
        return _spread(trip, station, traverse(station.ruleset, [moved(world, Hook.EGRESS, oif=out)]), outside)

    return _spread(trip, station, traverse(station.ruleset, [moved(world, Hook.POSTROUTING, oif=out)]), posted)


def _untranslated(packet: Packet) -> Packet:
    """As another namespace sees it: with a conntrack of its own, and no sender's socket or mark."""
    return replace(packet, status=frozenset(), mark=0, uid=None, state="new")


def _departed(trip: Trip, station: Station, world: World) -> list[Arrival]:
    """After OUTPUT: to itself by `lo`, or out by the interface of the route that the packet has now."""
    packet = world.packet
    route = trip.net.route(station, packet.destination, packet.source.network_address, None, packet.mark or 0)
    if route.error is not None:
        said = _REFUSALS.get(route.error, route.error)
        return [_stopped(trip, world, Evidence(f"routes of {station.name}", f"{packet.destination}: {said}"))]
    out = _leaving(route)
    if out != "lo":
        trip = trip._replace(left=Hop(station, packet, "", out))
        return _leave(trip, station, out, route.gateway or packet.destination, world)
    return _spread(trip, station, _looped(station, world), _received)


def _looped(station: Station, world: World) -> list[End]:
    """Out of and in by `lo`."""
    ends = traverse(station.ruleset, [moved(world, Hook.POSTROUTING, oif="lo")])
    for hook in (Hook.PREROUTING, Hook.INPUT):
        passing = [moved(one.world, hook, iif="lo") for one in ends if one.action is Action.ACCEPT]
        ends = [one for one in ends if one.action is not Action.ACCEPT]
        ends += traverse(station.ruleset, passing) if passing else []
    return ends


def _received(trip: Trip, station: Station, world: World) -> list[Arrival]:
    """After INPUT: the socket, and then the answer's way back."""
    packet = world.packet
    address, port = packet.destination, packet.port[0]
    found = _listeners(station, packet)
    there = endpoint_text(address, port)
    passed = _passed(station, world.by)
    if not found:
        why = Evidence(f"sockets of {station.name}", f"nothing listens at {there}")
        return [Arrival(Answer.NO, False, None, (*trip.why, *passed, why), world.conditions)]
    first = found[0]
    bound = endpoint_text(first.socket.address, first.socket.port)
    why = Evidence(f"sockets of {station.name}", f"the socket bound to {bound} takes it")
    trip = trip._replace(why=(*trip.why, *passed, why))
    certain = packet.port[0] == packet.port[1]
    arrived = Arrival(Answer.YES, True, first, trip.why, world.conditions)
    if not certain:
        several = (*world.conditions, "it may be led to any of several ports")
        arrived = arrived._replace(answer=Answer.UNKNOWN, connects=None, conditions=several)
    if packet.protocol is Protocol.UDP:
        return [arrived]
    return _answered(trip, station, world, arrived)


def _passed(station: Station, by: Place | None) -> tuple[Evidence, ...]:
    """The rule that let it in, where there is one."""
    if by is None or by.rule is None or by.chain.kind == "nat":
        return ()
    return (Evidence(f"{by.text}, in {station.name}", f"accepted by {by.rule.text}"),)


def _listeners(station: Station, packet: Packet) -> tuple[Listener, ...]:
    if packet.iif != "lo":
        index = next((one.index for one in station.interfaces if one.name == packet.iif), None)
    elif packet.destination.is_loopback:
        index = _LOOPBACK
    else:  # orig_oif of ip_route_output_key_hash_rcu, net/ipv4/route.c: as if come in by the address's own interface
        own = (one.index for one in station.interfaces if any(each.ip == packet.destination for each in one.addresses))
        index = next(own, _LOOPBACK)
    fitting = tuple(one for one in station.listeners if one.socket.interface in (None, 0, index))
    return answerers(packet.destination, packet.port[0], fitting, None, packet.protocol, index)


def _answered(trip: Trip, station: Station, world: World, arrived: Arrival) -> list[Arrival]:
    """The answer: out of the listener's station, back through those that passed the request on, in at the sender's."""
    legs = _legs(trip, station, world.packet)
    if isinstance(legs, Evidence):
        return [_stopped(trip, world, legs)]
    found = [arrived]
    for leg in legs:
        found = _leg(trip, leg, arrived)
        if any(one.answer is not Answer.YES for one in found):
            break
    return found


class Leg(NamedTuple):
    """The answer's way through one station: the request as it was there, and each hook with its interfaces."""

    station: Station
    request: Packet
    hooks: tuple[tuple[Hook, str, str], ...]


def _legs(trip: Trip, station: Station, packet: Packet) -> list[Leg] | Evidence:
    """Every station that the answer goes through; why not, where there is no way back."""
    if packet.iif == "lo":
        looped = ((Hook.OUTPUT, "", "lo"), (Hook.POSTROUTING, "", "lo"), (Hook.PREROUTING, "lo", ""))
        return [Leg(station, packet, (*looped, (Hook.INPUT, "lo", "")))]
    client = sample(packet.source, station)
    route = trip.net.route(station, client, packet.destination, None, 0)
    if route.error is not None:
        return _no_way_back(station, client, route.error)
    out = _leaving(route)
    legs = [Leg(station, packet, ((Hook.OUTPUT, "", out), (Hook.POSTROUTING, "", out)))]
    past = _passes_by(trip, route.gateway or client)
    if past is not None:
        if "dnat" not in past.packet.status:
            return legs
        said = f"the answer goes by {out} straight to {client}, past the translation in {past.station.name}"
        return Evidence(f"routes of {station.name}", said)
    for hop in reversed(trip.hops):
        client = sample(hop.packet.source, hop.station)
        route = trip.net.route(hop.station, client, packet.destination, hop.oif, 0)
        if route.error is not None:
            return _no_way_back(hop.station, client, route.error)
        on = route.interface or hop.iif
        back = ((Hook.PREROUTING, hop.oif, ""), (Hook.FORWARD, hop.oif, on), (Hook.POSTROUTING, "", on))
        legs.append(Leg(hop.station, hop.packet, back))
    if trip.left is not None:
        home = ((Hook.PREROUTING, trip.left.oif, ""), (Hook.INPUT, trip.left.oif, ""))
        legs.append(Leg(trip.left.station, trip.left.packet, home))
    return legs


def _no_way_back(station: Station, client: IPAddress, error: str) -> Evidence:
    return Evidence(
        f"routes of {station.name}", f"the answer cannot go back to {client}: {_REFUSALS.get(error, error)}"
    )


def _passes_by(trip: Trip, towards: IPAddress) -> Hop | None:
    """The station that passed the request on, where the answer's next address is none of it: it takes another way."""
    last = trip.hops[-1] if trip.hops else trip.left
    return None if last is None or is_local(last.station.interfaces, towards) else last


def _leg(trip: Trip, leg: Leg, arrived: Arrival) -> list[Arrival]:
    """The answer's way through one station: `arrived` where it passes, else who stops it."""
    station = leg.station
    ends = [End(Action.ACCEPT, World(answer(leg.request, leg.hooks[0][0])), None)]
    for hook, iif, oif in leg.hooks:
        passing = [moved(one.world, hook, iif=iif, oif=oif) for one in ends if one.action is Action.ACCEPT]
        ends = [one for one in ends if one.action is not Action.ACCEPT]
        ends += traverse(station.ruleset, passing) if passing else []

    def passed(_trip: Trip, _station: Station, world: World) -> list[Arrival]:
        return [arrived._replace(conditions=tuple(dict.fromkeys((*arrived.conditions, *world.conditions))))]

    found = _spread(trip, station, ends, passed)
    return [one if one.answer is Answer.YES else _of_answer(one) for one in found]


def _of_answer(one: Arrival) -> Arrival:
    last = one.why[-1]
    return one._replace(why=(*one.why[:-1], Evidence(last.source, f"the answer is {last.text}")))


def _stopped(trip: Trip, world: World, why: Evidence) -> Arrival:
    return Arrival(Answer.NO, False, None, (*trip.why, why), world.conditions)


def _lost(trip: Trip, world: World, text: str) -> Arrival:
    return Arrival(Answer.UNKNOWN, None, None, trip.why, (*world.conditions, text))


def sample(network: IPNetwork, station: Station) -> IPAddress:
    """One address of a network that is not the station's own."""
    if network.num_addresses == 1:
        return network.network_address
    if network.prefixlen == 0:
        return ip_address("198.51.100.1" if network.version == 4 else "2001:db8::1")  # RFC 5737, RFC 3849
    first = network.network_address + 1
    for step in range(min(8, network.num_addresses - 1)):
        if not is_local(station.interfaces, first + step):
            return first + step
    return first
