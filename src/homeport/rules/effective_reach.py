"""Who can connect to a listener: the origins that there are, the addresses that lead to it, and what holds for each.

The way of each packet is followed in `rules.paths`; here is decided what is tried, and what is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, ip_network
from typing import NamedTuple

from homeport.model.addresses import IPAddress
from homeport.model.evidence import Evidence
from homeport.model.explanation import Interface
from homeport.model.firewall import IPNetwork
from homeport.model.publishing import Published
from homeport.model.reach import Answer, From, Origin, Reach, Reached, Station, Way
from homeport.model.snapshot import Listener
from homeport.rules.neighbours import endpoint_text
from homeport.rules.paths import Arrival, Net, from_outside, from_station
from homeport.rules.translations import leading

_TUNNELS = frozenset(("tun", "wireguard", "ipip", "sit", "gre", "ip6tnl", "ip6gre", "vti", "xfrm", "ppp", "ipsec"))
_TUNNEL_NAMES = ("tun", "tap", "wg", "ppp", "tailscale", "zt", "utun", "ipsec", "nordlynx", "proton", "cscotun")
_CONTAINER_NAMES = ("docker", "br-", "podman", "cni", "virbr", "lxcbr", "lxdbr", "veth", "cali", "flannel", "vnet")
_CARD_NAMES = ("eth", "en", "wl", "ww")  # systemd.net-naming-scheme(7)
_CONTAINER_KINDS = frozenset(("bridge", "veth"))
_ANY4, _ANY6 = ip_network("0.0.0.0/0"), ip_network("::/0")
_MOST_ADDRESSES = 24


class Target(NamedTuple):
    """An address and port at which clients in or before `station` may find the listener, and why it is a candidate."""

    station: Station
    address: IPAddress
    port: int
    why: Evidence


class Setting(NamedTuple):
    """What is known: `here` the caller's station, `home` the listener's, both the same for most."""

    net: Net
    here: Station
    home: Station
    listener: Listener
    published: tuple[Published, ...]


def reach(setting: Setting) -> Reach:
    """What holds for each origin."""
    targets = tuple(candidates(setting))
    found = tuple(reached(setting, one, targets) for one in origins(setting))
    name = None if setting.home.own else setting.home.name
    return Reach(listener=setting.listener, netns=name, reached=found)


# --- origins ---------------------------------------------------------------------------------------------------------


def origins(setting: Setting) -> Iterator[Origin]:
    """From the nearest to the farthest."""
    home, here = setting.home, setting.here
    if not home.own:
        yield Origin(
            kind=From.NAMESPACE,
            name=f"inside {home.name}",
            netns=home.netns.inode,
            interface=None,
            networks=(),
            sources=(),
        )
    yield Origin(
        kind=From.MACHINE, name="this machine", netns=here.netns.inode, interface=None, networks=(), sources=()
    )
    stations = (here,) if home is here else (home, here)
    for station in stations:
        for one in sorted(station.interfaces, key=lambda each: (_kind(station, each), each.index or 0)):
            wanted = setting.listener.socket.address.is_link_local or not _inner(one)
            if _outside(one) and wanted and not (station is not home and _shared(one, home)):
                yield _by_interface(station, one)
    for one in here.interfaces:
        if _outside(one) and _kind(here, one) is From.NETWORK and not _inner(one):
            name = f"anywhere routed, through {one.name}"
            yield Origin(
                kind=From.ANYWHERE, name=name, netns=here.netns.inode, interface=one.name,
                networks=_networks(one), sources=(_ANY4, _ANY6),
            )  # fmt: skip


def _by_interface(station: Station, one: Interface) -> Origin:
    kind = _kind(station, one)
    networks = _networks(one)
    shown = ", ".join(str(each) for each in networks if not each.is_link_local)
    place = "" if station.own else f" of {station.name}"
    what = {From.CONTAINERS: "containers on", From.VPN: "VPN through"}.get(kind, "local network through")
    return Origin(
        kind=kind,
        name=f"{what} {one.name}{place}" + (f" ({shown})" if shown else ""),
        netns=station.netns.inode,
        interface=one.name,
        networks=networks,
        sources=networks,
    )


def _outside(one: Interface) -> bool:
    """Whether packets of others come in by an interface under its own name."""
    return one.name != "lo" and one.up is not False and one.master is None and bool(one.addresses)


def _shared(one: Interface, home: Station) -> bool:
    """Whether the listener's station is on the same link: who is there too has a line of its own."""
    addresses = [each.ip for other in home.interfaces if other.name != "lo" for each in other.addresses]
    return any(_within(each, network) for each in addresses if not each.is_link_local for network in _networks(one))


def _inner(one: Interface) -> bool:
    return all(each.ip.is_link_local or each.ip.is_loopback for each in one.addresses)


def _kind(station: Station, one: Interface) -> From:
    """Who is behind an interface; a veth that is named as a network card is one for the namespace that it is in."""
    if one.kind in _TUNNELS or (one.kind is None and one.name.startswith(_TUNNEL_NAMES)):
        return From.VPN
    if one.kind == "veth" and station.own and one.name.startswith(_CARD_NAMES):
        return From.NETWORK
    if one.kind in _CONTAINER_KINDS or one.name.startswith(_CONTAINER_NAMES):
        return From.CONTAINERS
    return From.NETWORK


def _networks(one: Interface) -> tuple[IPNetwork, ...]:
    found = (each.network for each in one.addresses if not each.ip.is_loopback)
    return tuple(dict.fromkeys(found))


# --- candidates ------------------------------------------------------------------------------------------------------


def candidates(setting: Setting) -> Iterator[Target]:
    """Each address at which the listener may be found, in its own station and, published, in the caller's."""
    seen: set[tuple[int | None, IPAddress, int]] = set()
    own, published = _own_targets(setting), _published_targets(setting)
    for one in (*own, *published) if setting.home is setting.here else (*published, *own):
        key = one.station.netns.inode, one.address, one.port
        if key not in seen:
            seen.add(key)
            yield one


def _own_targets(setting: Setting) -> Iterator[Target]:
    socket = setting.listener.socket
    bound = socket.address
    mapped = bound.ipv4_mapped if bound.version == 6 else None
    bound = mapped or bound
    port = socket.port
    if not bound.is_unspecified:
        yield Target(setting.home, bound, port, Evidence("bind address", endpoint_text(bound, port)))
        return
    versions = {4} if bound.version == 4 else {6} if socket.v6only else {4, 6}
    why = Evidence("bind address", f"{endpoint_text(socket.address, port)} takes every address")
    for address in _addresses(setting.home, versions):
        yield Target(setting.home, address, port, why)


def _addresses(station: Station, versions: Iterable[int] = (4, 6)) -> Iterator[IPAddress]:
    """A station's addresses, loopback first, without those of IPv6 links, which need a zone."""
    found = [each.ip for one in station.interfaces if one.up is not False for each in one.addresses]
    found.sort(key=lambda one: (not one.is_loopback, one.version))
    plain = [one for one in found if one.version in versions and not (one.version == 6 and one.is_link_local)]
    yield from list(dict.fromkeys(plain))[:_MOST_ADDRESSES]


def _published_targets(setting: Setting) -> Iterator[Target]:
    """The ports of the caller's station that an engine publishes, or a rule translates."""
    here = setting.here
    for one in setting.published:
        family = None if one.target_address is None else one.target_address.version
        why = one.evidence[0] if one.evidence else Evidence(one.via, f"port {one.host_port}")
        for address in _hosts(here, one.host_address, family):
            yield Target(here, address, one.host_port, why)
    for rule in leading(here.ruleset, lambda address: _leads_here(setting, address), setting.listener.socket.port):
        for address in _hosts(here, rule.address, None):
            yield Target(here, address, rule.port, rule.evidence)


def _hosts(here: Station, address: IPAddress | None, family: int | None) -> Iterator[IPAddress]:
    some = _addresses(here) if address is None or address.is_unspecified else (address,)
    yield from (one for one in some if family is None or one.version == family)


def _leads_here(setting: Setting, address: IPAddress | None) -> bool:
    """Whether what is translated to an address comes to the listener's station; None: the address is kept."""
    if address is None or address.is_loopback:
        return setting.home is setting.here
    return any(each.ip == address for one in setting.home.interfaces for each in one.addresses)


# --- judging ---------------------------------------------------------------------------------------------------------


def reached(setting: Setting, origin: Origin, targets: Sequence[Target]) -> Reached:
    """The best of all ways from one origin."""
    ways = tuple(one for target in targets for one in ways_from(setting, origin, target))
    usable = [one for one in ways if not one.routed]
    for answer, some in (
        (Answer.YES, usable),
        (Answer.UNKNOWN, usable),
        (Answer.YES, ways),
        (Answer.UNKNOWN, ways),
        (Answer.NO, usable or ways),
    ):
        best = next((one for one in some if one.answer is answer), None)
        if best is not None:
            routed_only = answer is not Answer.NO and best.routed
            return Reached(origin=origin, answer=Answer.UNKNOWN if routed_only else answer, way=best, ways=ways)
    return Reached(origin=origin, answer=Answer.NO, way=None, ways=ways)


def ways_from(setting: Setting, origin: Origin, target: Target) -> Iterator[Way]:
    """The way from an origin to a target, if that makes sense to try."""
    station = _station(setting, origin)
    if station is None:
        return
    inside = target.station is station
    if target.address.is_loopback and not inside:
        return  # that is the client's own
    arrivals: list[Arrival] = []
    protocol = setting.listener.socket.protocol
    if origin.interface is None:
        if not inside and station is setting.home and not setting.home.own:
            return  # from inside of a container to what the machine publishes: seldom meant
        arrivals = from_station(setting.net, station, target.address, target.port, protocol)
        routed = False
    else:
        source = _source(origin, target.address)
        if source is None or (not inside and any(_within(target.address, one) for one in origin.networks)):
            return  # on the same link: they need no station between
        arrivals = from_outside(setting.net, station, origin.interface, source, target.address, target.port, protocol)
        routed = _needs_route(station, origin, target)
    yield summary(setting, target, arrivals, routed)


def single(address: IPAddress) -> IPNetwork:
    """The network of one address."""
    return ip_network(address)


def _station(setting: Setting, origin: Origin) -> Station | None:
    if origin.netns == setting.home.netns.inode:
        return setting.home
    return setting.here if origin.netns == setting.here.netns.inode else None


def _within(address: IPAddress, network: IPNetwork) -> bool:
    return address.version == network.version and address in network


def _source(origin: Origin, address: IPAddress) -> IPNetwork | None:
    """Who sends: of the networks of the address's family the one that the address is in, else the first."""
    some = [one for one in origin.sources if one.version == address.version]
    own = (one for one in some if one.prefixlen and address in one)
    return next(own, some[0] if some else None)


def _needs_route(station: Station, origin: Origin, target: Target) -> bool:
    """Whether clients find the address only with a route by way of this machine (or, for loopback, with a trick)."""
    if target.address.is_loopback or target.station is not station:
        return True
    if origin.kind is From.CONTAINERS and station.own and not target.address.is_loopback:
        return False  # this machine is their router
    mine = (each.ip for one in station.interfaces if one.name == origin.interface for each in one.addresses)
    return target.address not in mine


def summary(setting: Setting, target: Target, arrivals: Sequence[Arrival], routed: bool) -> Way:
    """One answer of all ways that a packet may go."""
    arrivals = [end for one in arrivals for end in _passed_on(setting, one)]
    answers = {_answer(setting, one) for one in arrivals}
    connects = {one.connects for one in arrivals}
    answer = answers.pop() if len(answers) == 1 else Answer.UNKNOWN
    telling = next((one for one in arrivals if _answer(setting, one) is not Answer.YES), arrivals[0])
    conditions = tuple(dict.fromkeys(text for one in arrivals for text in one.conditions))
    limits = () if answer is Answer.NO else _unseen(setting)
    if limits:
        answer, connects = Answer.UNKNOWN, {None}
    why = telling.why
    if telling.connects and answer is Answer.NO and telling.listener is not None:
        other = telling.listener.socket
        said = f"another listener answers there: {endpoint_text(other.address, other.port)}"
        why = (*why, Evidence("sockets", said))
    return Way(
        address=target.address,
        port=target.port,
        answer=answer,
        connects=connects.pop() if len(connects) == 1 else None,
        routed=routed,
        leaves=any(one.leaves for one in arrivals),
        why=(target.why, *why),
        conditions=(*limits, *conditions) if answer is Answer.UNKNOWN else (),
        stop=telling.stop if answer is Answer.NO else None,
    )


def _answer(setting: Setting, one: Arrival) -> Answer:
    """Whether it is this listener that is reached, or one that shares its place."""
    if one.answer is not Answer.YES or one.listener is None:
        return one.answer
    return Answer.YES if _is_mine(setting, one.listener) else Answer.NO


def _is_mine(setting: Setting, listener: Listener) -> bool:
    mine, found = setting.listener.socket, listener.socket
    return (mine.netns, mine.address, mine.port) == (found.netns, found.address, found.port)


def _passed_on(setting: Setting, one: Arrival) -> Iterator[Arrival]:
    """What comes of a connection that a program takes to pass it on: it makes one of its own to the listener."""
    led = None if one.answer is not Answer.YES or one.listener is None else _forwarder(setting, one.listener)
    if led is None:
        yield one
        return
    mine = setting.listener.socket
    where = endpoint_text(mine.address, mine.port) if led.target_address is None else endpoint_text(
        led.target_address, led.target_port or mine.port
    )  # fmt: skip
    why = (*one.why, Evidence(led.via, f"{led.via} passes it on to {where}"))
    if led.target_address is None:  # how it gets there is its own affair: some reach loopback in there, some do not
        known = not mine.address.is_loopback
        conditions = () if known else (f"whether {led.via} passes it on to loopback in {setting.home.name}",)
        answer = Answer.YES if known else Answer.UNKNOWN
        yield one._replace(answer=answer, listener=setting.listener, why=why, conditions=conditions)
        return
    port = led.target_port or mine.port
    for end in from_station(setting.net, setting.here, led.target_address, port, mine.protocol):
        # who connects is answered by the program, whatever comes of its own connection
        yield end._replace(connects=one.connects, why=(*why, *end.why), conditions=(*one.conditions, *end.conditions))


def _forwarder(setting: Setting, listener: Listener) -> Published | None:
    """By what a listener of this machine passes everything on to the one that is judged, if it does."""
    socket = listener.socket
    if setting.home is setting.here or socket.netns != setting.here.netns.inode:
        return None
    return next(
        (
            one
            for one in setting.published
            if one.via != "DNAT rule"
            and one.host_port == socket.port
            and one.host_address in (None, socket.address, IPv4Address(0))
        ),
        None,
    )


def _unseen(setting: Setting) -> tuple[str, ...]:
    stations = (setting.here,) if setting.home is setting.here else (setting.here, setting.home)
    return tuple(dict.fromkeys(text for one in stations for text in one.ruleset.limits))
