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
from homeport.model.reach import Answer, Inquiry, Station, Stop
from homeport.model.snapshot import Listener
from homeport.rules.chains import End, Place, World, traverse
from homeport.rules.firewall import LOOP, answer, moved, through
from homeport.rules.neighbours import answerers, endpoint_text
from homeport.rules.packets import is_local

_MOST_STATIONS = 4
_LOOPBACK = 1
_WITH_NEIGHBOURS = (None, "veth", "bridge", "macvlan", "ipvlan", "vlan", "bond", "team")
_HERE = frozenset(("local", "broadcast"))
_REFUSALS = {
    "Invalid cross-device link": "the kernel drops it: by its source it should not come in there (rp_filter)",
    "Invalid argument": "the kernel drops it: a blackhole in the routes, or a martian (RFC 1812 section 5.3.7)",
    "Permission denied": "a route or a rule of the routing prohibits it",
    "No route to host": "there is no route",
    "Network is unreachable": "there is no route",
}
_FORWARDING = {"ip": "net.ipv4.ip_forward", "ip6": "net.ipv6.conf.all.forwarding"}
_UNREACHABLE = "No route to host"


class Net(Seam):
    """What is asked of the kernel; see `system.reaching`."""

    def route(self, station: Station, asked: Inquiry) -> Route:
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
    stop: Stop | None = None


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
    hidden = _hidden(station, packet) if address.version == 6 and is_local(station.interfaces, address) else None
    if hidden is not None:
        return [Arrival(Answer.NO, False, None, (hidden,), ())]
    return _arrive(Trip(net), station, interface, World(packet))


def _hidden(station: Station, packet: Packet) -> Evidence | None:
    """The rule that keeps neighbours from finding an address of IPv6: they ask for it by ICMPv6 before all else."""
    if next((one.kind for one in station.interfaces if one.name == packet.iif), None) not in _WITH_NEIGHBOURS:
        return None
    group = ip_address(int(ip_address("ff02::1:ff00:0")) | int(packet.destination) & 0xFFFFFF)  # RFC 4291, 2.7.1
    asking = replace(packet, destination=group, state="untracked", discovery="nd-neighbor-solicit")
    telling = replace(
        answer(packet, Hook.OUTPUT, oif=packet.iif), state="untracked", discovery="nd-neighbor-advert", reply=False
    )
    for one, what in ((replace(asking, hook=Hook.INPUT), "their question"), (telling, "the answer")):
        ends = traverse(station.ruleset, [World(one)])
        if ends and all(end.action in (Action.DROP, Action.REJECT) for end in ends):
            said = _said(station, ends[0])
            return Evidence(
                said.source, f"neighbours do not find {packet.destination}: {what} ({one.discovery}) is {said.text}"
            )
    return None


def from_station(
    net: Net, station: Station, address: IPAddress, port: int, protocol: Protocol, uid: int | None = None
) -> list[Arrival]:
    """A packet of a process in a station."""
    source_port = station.ruleset.ephemeral[0]
    route = net.route(station, Inquiry(address, protocol=protocol, source_port=source_port, port=port, uid=uid))
    if route.error is not None:
        said = Evidence(f"routes of {station.name}", f"{address}: {_REFUSALS.get(route.error, route.error)}")
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
        found.append(Arrival(kind, connects, None, why, world.conditions, stop=_stop(station, end)))
    return found


def _stop(station: Station, end: End) -> Stop | None:
    place = end.place
    if place is None or end.action is Action.UNKNOWN:
        return None
    table, rule = place.table, place.rule
    ufw = any(one.name.startswith("ufw") for one in table.chains)
    manager = "ufw" if ufw else "firewalld" if table.name == "firewalld" else None
    where = table.family, table.name, place.chain.name
    handle, number = (None, None) if rule is None else (rule.handle, rule.number)
    packet = end.world.packet
    return Stop(table.source, manager, where, handle, number, packet.hook, packet.port[0], station.own)


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
    route = trip.net.route(station, _inquiry(packet, source, incoming=interface))
    if route.error is not None:
        said = f"{packet.destination}: {_refusal(route.error, interface)}"
        if packet.destination.is_loopback:
            said = (
                f"{packet.destination} is loopback: what comes for it from outside is dropped (route_localnet is off)"
            )
        elif route.error == _UNREACHABLE and packet.family not in station.forwards and not _own(station, packet):
            said = f"packets are not passed on ({_FORWARDING[packet.family]} is off)"
        return [_stopped(trip, world, Evidence(f"routes of {station.name}, for packets by {interface}", said))]
    if route.kind in _HERE:
        entering = moved(world, Hook.INPUT, iif=interface)
        return _spread(trip, station, traverse(station.ruleset, [entering]), _received)
    if route.interface is None or route.kind != "unicast":
        why = Evidence(f"routes of {station.name}", f"{packet.destination}: {route.kind}")
        return [_stopped(trip, world, why)]
    if packet.family == "ip6" and "ip6" not in station.forwards:  # of IPv4 the kernel has told with the route
        said = f"packets are not passed on ({_FORWARDING['ip6']} is off)"
        return [_stopped(trip, world, Evidence(f"settings of {station.name}", said))]
    out = route.interface
    hop = Hop(station, replace(packet, hook=Hook.FORWARD, iif=interface, oif=out), interface, out)
    onward = trip._replace(hops=(*trip.hops, hop))

    def leave(trip: Trip, station: Station, world: World) -> list[Arrival]:
        return _leave(trip, station, out, route.gateway or world.packet.destination, world)

    forwarded = traverse(station.ruleset, [moved(world, Hook.FORWARD, iif=interface, oif=out)])
    return _spread(onward, station, forwarded, leave)


def _inquiry(packet: Packet, source: IPAddress, *, incoming: str | None = None, mark: int | None = None) -> Inquiry:
    """What to ask about a packet; `mark` None: with the one that it has."""
    return Inquiry(
        packet.destination,
        source=source,
        incoming=incoming,
        mark=(packet.mark or 0) if mark is None else mark,
        protocol=packet.protocol,
        source_port=packet.source_port[0],
        port=packet.port[0],
        uid=packet.uid,
    )


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
    mark = None if world.rerouted else 0
    route = trip.net.route(station, _inquiry(packet, packet.source.network_address, mark=mark))
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
    return through(station.ruleset, [End(Action.ACCEPT, world, world.by)], LOOP)


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
    legs = _legs(trip, station, world.packet, arrived.listener)
    if isinstance(legs, Evidence):
        return [_stopped(trip, world, legs)]
    found = [arrived]
    for leg in legs:
        found = _leg(trip, leg, arrived)
        if any(one.answer is not Answer.YES for one in found):
            return found
    astray = None if trip.left is not None or len(legs) <= len(trip.hops) else _astray(legs[-1])
    return [_doubted(one, astray) for one in found] if astray is not None else found


class Leg(NamedTuple):
    """The answer's way through one station: the request as it was there, and each hook with its interfaces.

    `towards` is the next address, None where it stays; `asked`: what was asked for its way, where it starts here.
    """

    station: Station
    request: Packet
    hooks: tuple[tuple[Hook, str, str], ...]
    towards: IPAddress | None = None
    asked: Inquiry | None = None


def _legs(trip: Trip, station: Station, packet: Packet, listener: Listener | None) -> list[Leg] | Evidence:
    """Every station that the answer goes through; why not, where there is no way back."""
    if packet.iif == "lo":
        return [Leg(station, packet, ((Hook.OUTPUT, "", "lo"), *LOOP))]
    client = sample(packet.source, station)
    asked = _of_answerer(station, packet, client, listener)
    route = trip.net.route(station, asked)
    if route.error is not None:
        return _no_way_back(station, client, route.error)
    out, towards = _leaving(route), route.gateway or client
    leaving = ((Hook.OUTPUT, "", out), (Hook.POSTROUTING, "", out), (Hook.EGRESS, "", out))
    legs = [Leg(station, packet, leaving, towards, asked)]
    past = _passes_by(trip, route.gateway or client)
    if past is not None:
        if "dnat" not in past.packet.status:
            return legs
        said = f"the answer goes by {out} straight to {client}, past the translation in {past.station.name}"
        return Evidence(f"routes of {station.name}", said)
    for hop in reversed(trip.hops):
        client = sample(hop.packet.source, hop.station)
        passed = replace(_answer_to(hop.packet, client), source=ip_network(packet.destination), source_port=packet.port)
        route = trip.net.route(hop.station, _inquiry(passed, packet.destination, incoming=hop.oif))
        if route.error is not None:
            return _no_way_back(hop.station, client, route.error, hop.oif)
        on = route.interface or hop.iif
        back = (*_in(hop.oif), (Hook.FORWARD, hop.oif, on), (Hook.POSTROUTING, "", on), (Hook.EGRESS, "", on))
        legs.append(Leg(hop.station, hop.packet, back, route.gateway or client))
    if trip.left is not None:
        home = (*_in(trip.left.oif), (Hook.INPUT, trip.left.oif, ""))
        legs.append(Leg(trip.left.station, trip.left.packet, home))
    return legs


def _in(interface: str) -> tuple[tuple[Hook, str, str], ...]:
    return (Hook.INGRESS, interface, ""), (Hook.PREROUTING, interface, "")


def _answer_to(packet: Packet, client: IPAddress) -> Packet:
    return replace(answer(packet, Hook.OUTPUT), destination=client)


def _of_answerer(station: Station, packet: Packet, client: IPAddress, listener: Listener | None) -> Inquiry:
    """By what the kernel chooses the way of an answer: the listener's user and its interface count, too."""
    asked = _inquiry(_answer_to(packet, client), packet.destination)
    if listener is None:
        return asked
    socket = listener.socket
    device = next((one.name for one in station.interfaces if socket.interface and one.index == socket.interface), None)
    return asked._replace(outgoing=device, uid=socket.uid)


def _astray(last: Leg) -> str | None:
    """What is in doubt where the answer leaves by another interface than the request came in by."""
    out, came = last.hooks[-1][2], last.request.iif
    if out == came or last.towards is None:
        return None
    alike = [
        any(one.name == name and last.towards in each.network for one in last.station.interfaces
            for each in one.addresses if each.version == last.towards.version)
        for name in (out, came)
    ]  # fmt: skip
    return None if all(alike) else f"whether the answer gets to the client: it leaves by {out}, not by {came}"


def _doubted(one: Arrival, condition: str) -> Arrival:
    return one._replace(answer=Answer.UNKNOWN, connects=None, conditions=(*one.conditions, condition))


def _no_way_back(station: Station, client: IPAddress, error: str, incoming: str | None = None) -> Evidence:
    return Evidence(f"routes of {station.name}", f"the answer cannot go back to {client}: {_refusal(error, incoming)}")


def _refusal(error: str, incoming: str | None = None) -> str:
    """What an error of the kernel means, for a packet that comes in by an interface, or for one from here."""
    more = "" if incoming is None or error != _UNREACHABLE else f", or what comes in by {incoming} is not passed on"
    return f"{_REFUSALS.get(error, error)}{more}"


def _own(station: Station, packet: Packet) -> bool:
    return is_local(station.interfaces, packet.destination)


def _passes_by(trip: Trip, towards: IPAddress) -> Hop | None:
    """The station that passed the request on, where the answer's next address is none of it: it takes another way."""
    last = trip.hops[-1] if trip.hops else trip.left
    return None if last is None or is_local(last.station.interfaces, towards) else last


def _leg(trip: Trip, leg: Leg, arrived: Arrival) -> list[Arrival]:
    """The answer's way through one station: `arrived` where it passes, else who stops it."""
    station = leg.station
    ends = [End(Action.ACCEPT, World(answer(leg.request, leg.hooks[0][0])), None)]
    found: list[Arrival] = []

    def passed(_trip: Trip, _station: Station, world: World) -> list[Arrival]:
        return [arrived._replace(conditions=tuple(dict.fromkeys((*arrived.conditions, *world.conditions))))]

    for hook, iif, oif in leg.hooks:
        passing = [moved(one.world, hook, iif=iif, oif=oif) for one in ends if one.action is Action.ACCEPT]
        ends = [one for one in ends if one.action is not Action.ACCEPT]
        for end in traverse(station.ruleset, passing) if passing else []:
            other = _rerouted(trip, leg, end, oif) if hook is Hook.OUTPUT else None
            if other is None:
                ends.append(end)
            else:
                found.append(other)
    found += [one if one.answer is Answer.YES else _of_answer(one) for one in _spread(trip, station, ends, passed)]
    return found


def _rerouted(trip: Trip, leg: Leg, end: End, out: str) -> Arrival | None:
    """What comes of an answer whose way is chosen anew, by a mark that it got; None where it stays the same."""
    if end.action is not Action.ACCEPT or not end.world.rerouted or leg.asked is None:
        return None
    mark = end.world.packet.mark
    route = trip.net.route(leg.station, leg.asked._replace(mark=mark or 0))
    if route.error is not None:
        return _stopped(trip, end.world, _no_way_back(leg.station, leg.asked.destination, route.error))
    if _leaving(route) == out:
        return None
    condition = f"whether the answer gets to the client: for its mark it leaves by {_leaving(route)}, not by {out}"
    return _lost(trip, end.world, condition)


def _of_answer(one: Arrival) -> Arrival:
    last = one.why[-1]
    return one._replace(why=(*one.why[:-1], Evidence(last.source, f"the answer is {last.text}")), stop=None)


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
