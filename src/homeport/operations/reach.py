"""`homeport reach`: who can connect to a listener, computed from what the kernel has, and proved by trying it."""

from __future__ import annotations

import getpass
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from homeport.errors import HomeportError, RightsError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.publishing import Published
from homeport.model.reach import Advice, From, Inquiry, Origin, Proof, Reach, ReachReport, Station, Way
from homeport.model.snapshot import Listener, Netns, Snapshot
from homeport.operations import services
from homeport.operations.ls import EVERYTHING, look
from homeport.operations.scene import Scene, residents, survey
from homeport.rules import effective_reach, reach_advice
from homeport.rules.effective_reach import Setting, Target
from homeport.system import proving
from homeport.system.namespaces import inside
from homeport.system.publishing import Publishing
from homeport.system.reaching import Stations

Place = tuple[IPAddress, int]
_LONGER = 4.0
MAX_LISTENERS = 8
"""Of an address without a port there may be many."""


class _Found(NamedTuple):
    """What is needed for all listeners of one report."""

    scene: Scene
    snapshot: Snapshot
    stations: Stations
    published: tuple[Published, ...]


def reach(text: str, source: str | None = None, *, prove: bool = False, scene: Scene | None = None) -> ReachReport:
    """Who can connect to what listens at an address; `reaches` is empty where nothing does.

    `scene`: what a look at the address has found already. Raises AddressError for a text that is no address,
    SourceError where no source works, RightsError where a proof needs more rights.
    """
    if prove and os.geteuid() != 0:
        raise RightsError(
            "a proof needs root",
            why="it makes a network namespace",
            remedy=f"sudo homeport reach {shlex.quote(text)} --prove",
        )
    if not prove:
        return _report(text, source, scene, prove=False)
    with proving.alone(Netns(None, None, None, own=True)):
        return _report(text, source, scene, prove=True)


def _report(text: str, source: str | None, scene: Scene | None, *, prove: bool) -> ReachReport:
    scene = survey(text, source) if scene is None else scene
    publishing = Publishing()
    snapshot = look(EVERYTHING, source)
    published = tuple(publishing.published_ports())
    found = _Found(scene, snapshot, Stations(snapshot.netns, snapshot.listeners, _names(snapshot)), published)
    listeners = list(_behind(found, publishing))
    limits = dict.fromkeys((*scene.snapshot.limits, *scene.explanation.limits))
    if len(listeners) > MAX_LISTENERS:
        limits[f"told for {MAX_LISTENERS} of {len(listeners)} listeners"] = None
    settings = [one for each in listeners[:MAX_LISTENERS] if (one := _setting(found, each)) is not None]
    reaches = [effective_reach.reach(one) for one in settings]
    for setting in settings:
        limits |= dict.fromkeys((*setting.here.ruleset.limits, *setting.home.ruleset.limits))
    proofs = tuple(one for setting in settings for one in _proofs(found, setting)) if prove else ()
    return ReachReport(
        asked=scene.explanation.asked,
        taken_at=datetime.now(UTC),
        summary=tuple(_summary(scene, reaches)),
        reaches=tuple(reaches),
        advice=tuple(_advice(found, reaches)),
        proofs=proofs,
        limits=tuple(dict.fromkeys((*limits, *publishing.limits))),
    )


def _names(snapshot: Snapshot) -> dict[int, str]:
    """What to call the network namespaces: the caller's, those of containers, those with names."""
    found = {one.inode: f"network namespace {one.name}" for one in snapshot.netns if one.inode and one.name}
    for one in snapshot.listeners:
        for owner in one.owners:
            if owner.container is not None and one.socket.netns:
                found[one.socket.netns] = f"container {owner.container.name or owner.container.id[:12]}"
    return found | {one.inode: "this machine" for one in snapshot.netns if one.own and one.inode}


def _behind(found: _Found, publishing: Publishing) -> Iterator[Listener]:
    """The asked listeners; for those that only hold a port for a container, the container's own."""
    seen: dict[Listener, None] = {}
    here = _joined(found, residents(found.scene))
    for one in here:
        behind = publishing.behind(one)
        inner = [] if behind is None else _inner(found, behind)
        seen |= dict.fromkeys(inner or [one])
    endpoint = found.scene.endpoint
    for led in found.published if not here and endpoint.port else ():
        if led.host_port == endpoint.port and led.protocol in found.scene.protocols:
            seen |= dict.fromkeys(_inner(found, led))
    yield from seen


def _joined(found: _Found, some: list[Listener]) -> list[Listener]:
    """Of listeners in several namespaces that have the asked address those where packets from here come to."""
    own = next((one for one in found.snapshot.netns if one.own), None)
    if own is None or found.scene.here or len({one.socket.netns for one in some}) < 2:
        return some
    station = found.stations.station(own)
    places = set()
    for address in found.scene.away:
        route = found.stations.route(station, Inquiry(address))
        if route.interface is not None:
            other = found.stations.beyond(station, route.interface, route.gateway or address)
            places.add(None if other is None else other[0].netns.inode)
    return [one for one in some if one.socket.netns in places] or some


def _inner(found: _Found, led: Published) -> list[Listener]:
    """The listeners that a published port leads to."""
    inner = []
    for one in found.snapshot.listeners:
        socket = one.socket
        if not socket.is_listener or socket.port != led.target_port or socket.protocol is not led.protocol:
            continue
        ids = {each.container.id for each in one.owners if each.container is not None}
        if led.container is not None and led.container.id in ids:
            inner.append(one)
        elif led.container is None and led.target_address is not None and not found.scene.is_own(one):
            netns = _netns(found, one)
            if netns is not None and _has(found.stations.station(netns), led.target_address):
                inner.append(one)
    return inner


def _netns(found: _Found, listener: Listener) -> Netns | None:
    number = listener.socket.netns
    own = next((one for one in found.snapshot.netns if one.own), None)
    return own if number is None else next((one for one in found.snapshot.netns if one.inode == number), own)


def _has(station: Station, address: IPAddress) -> bool:
    return address.is_loopback or any(each.ip == address for one in station.interfaces for each in one.addresses)


def _setting(found: _Found, listener: Listener) -> Setting | None:
    own = next((one for one in found.snapshot.netns if one.own), None)
    netns = _netns(found, listener)
    if own is None or netns is None:
        return None
    here, home = found.stations.station(own), found.stations.station(netns)
    return Setting(found.stations, here, home, listener, tuple(_leading(found, listener, home)))


def _leading(found: _Found, listener: Listener, home: Station) -> Iterator[Published]:
    """The published ports that lead to a listener, by its container or by its address."""
    socket = listener.socket
    ids = {one.container.id for one in listener.owners if one.container is not None}
    for one in found.published:
        if (one.target_port, one.protocol) != (socket.port, socket.protocol):
            continue
        by_container = one.container is not None and one.container.id in ids
        if by_container or (one.target_address is not None and _has(home, one.target_address)):
            yield one


def _summary(scene: Scene, reaches: Sequence[Reach]) -> Iterator[str]:
    asked = scene.explanation.asked
    if not reaches:
        yield reach_advice.nothing(asked, scene.away if not scene.here else ())
        return
    address = scene.endpoint.address or (scene.here[0] if scene.explanation.name and scene.here else None)
    yield from reach_advice.sentences(asked, address, reaches)


def _advice(found: _Found, reaches: Sequence[Reach]) -> Iterator[Advice]:
    own = next((one for one in found.snapshot.netns if one.own), None)
    if not reaches or own is None:
        return
    station = found.stations.station(own)
    origins = (each.origin for each in reaches[0].reached if each.origin.kind in (From.NETWORK, From.VPN))
    names = [one.interface for one in origins]
    known = (each.ip for one in station.interfaces if one.name in names for each in one.addresses)
    sshd = next(
        (
            one.socket.port
            for one in found.snapshot.listeners
            if found.scene.is_own(one) and any(each.process.name == "sshd" for each in one.owners)
        ),
        None,
    )
    published = any(True for _ in _leading(found, reaches[0].listener, station)) or any(
        one.container is not None and one.target_port == reaches[0].listener.socket.port for one in found.published
    )
    yield from reach_advice.advice(
        reaches[0], host=next((one for one in known if not one.is_link_local), None), user=_user(), sshd=sshd,
        published=published,
    )  # fmt: skip


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this uid
        return "USER"


# --- proof -----------------------------------------------------------------------------------------------------------


def _proofs(found: _Found, setting: Setting) -> Iterator[Proof]:
    """From here, and from a scratch namespace beside the listener's, and beside the caller's if that is another."""
    if setting.listener.socket.protocol is not Protocol.TCP:
        # a datagram would reach the service itself, and its silence would say nothing
        yield from _unproved(setting, "a datagram would be taken by the service, and silence would prove nothing")
        return
    if (why := services.untouchable(setting.listener)) is not None:
        yield from _unproved(setting, why)
        return
    if setting.home is setting.here:
        yield from _from_stations(setting)
        yield from _from_scratch(found, setting, setting.home)
        return
    with proving.alone(setting.home.netns):
        setting = setting._replace(home=found.stations.again(setting.home.netns))
        yield from _from_stations(setting)
        for station in (setting.home, setting.here):
            yield from _from_scratch(found, setting, station)


def _unproved(setting: Setting, why: str) -> Iterator[Proof]:
    """What was computed alone, and why that is so."""
    for one in effective_reach.candidates(setting):
        origin = _origin(setting.home, None)
        for way in effective_reach.ways_from(setting, origin, one):
            yield Proof(
                origin=origin.name, protocol=setting.listener.socket.protocol, address=one.address, port=one.port,
                expected=way, connected=None, seen=f"not tried: {why}",
            )  # fmt: skip


def _origin(station: Station, interface: str | None) -> Origin:
    """Clients in a station, or beside it behind an interface of it."""
    if interface is None:
        name = "this machine" if station.own else f"inside {station.name}"
        kind = From.MACHINE if station.own else From.NAMESPACE
        return Origin(kind=kind, name=name, netns=station.netns.inode, interface=None, networks=(), sources=())
    networks = tuple(each.network for one in station.interfaces if one.name == interface for each in one.addresses)
    return Origin(
        kind=From.NETWORK, name=f"beside {station.name}, by {interface}", netns=station.netns.inode,
        interface=interface, networks=networks, sources=networks,
    )  # fmt: skip


def _from_stations(setting: Setting) -> Iterator[Proof]:
    stations = (setting.here,) if setting.home is setting.here else (setting.home, setting.here)
    for station in stations:
        origin = _origin(station, None)
        tries = _tries(setting, origin)

        def connect(places: Sequence[Place], seconds: float, station: Station = station) -> list[proving.Tried]:
            if station.own:
                return proving.connect_all(places, seconds)
            return _connect_inside(station, places, seconds)

        yield from _compared(origin, tries, _tried(tries, connect))


def _connect_inside(station: Station, places: Sequence[Place], seconds: float) -> list[proving.Tried]:
    found = inside([station.netns], lambda _: proving.connect_all(places, seconds))[station.netns]
    if isinstance(found, OSError):
        raise HomeportError(f"{station.name} cannot be entered", why=found.strerror)
    return found


def _tried(
    tries: Sequence[tuple[Target, Way]], connect: Callable[[Sequence[Place], float], list[proving.Tried]]
) -> list[proving.Tried]:
    """What came of each; where that is not as computed it is tried again, longer: a busy machine is late at times."""
    some = [(target, way) for target, way in tries if not way.leaves]
    found = connect([(target.address, target.port) for target, _ in some], proving.SECONDS)
    again = [
        number
        for number, ((_, way), one) in enumerate(zip(some, found, strict=True))
        if None not in (way.connects, one.connected) and way.connects is not one.connected
    ]
    places = [(some[number][0].address, some[number][0].port) for number in again]
    for number, one in zip(again, connect(places, _LONGER) if places else (), strict=True):
        found[number] = one
    return found


def _from_scratch(found: _Found, setting: Setting, station: Station) -> Iterator[Proof]:
    """Beside a station, by an interface that is made for it."""
    used = {one for each in (setting.home, setting.here) for one in proving.networks_of(each.netns)}
    with proving.Scratch(station.netns, tuple(used)) as scratch:
        fresh = found.stations.again(station.netns)
        new = setting._replace(
            here=fresh if setting.here is station else setting.here,
            home=fresh if setting.home is station else setting.home,
        )
        origin = _origin(fresh, scratch.interface)
        sources = tuple(effective_reach.single(one.ip) for one in scratch.sources)
        origin = Origin(
            kind=origin.kind, name=origin.name, netns=origin.netns, interface=origin.interface,
            networks=origin.networks, sources=sources,
        )  # fmt: skip
        tries = _tries(new, origin)
        seen = _tried(tries, lambda places, seconds: scratch.run(lambda: proving.connect_all(places, seconds)))
    found.stations.again(station.netns)
    yield from _compared(origin, tries, seen)


def _tries(setting: Setting, origin: Origin) -> list[tuple[Target, Way]]:
    return [
        (target, way)
        for target in effective_reach.candidates(setting)
        for way in effective_reach.ways_from(setting, origin, target)
    ]


def _compared(origin: Origin, tries: Sequence[tuple[Target, Way]], seen: Sequence[proving.Tried]) -> Iterator[Proof]:
    answers = iter(seen)
    for target, way in tries:
        left = proving.Tried(None, "not tried: its packets may leave this machine")
        one = left if way.leaves else next(answers)
        yield Proof(
            origin=origin.name, protocol=Protocol.TCP, address=target.address, port=target.port, expected=way,
            connected=one.connected, seen=one.seen,
        )  # fmt: skip
