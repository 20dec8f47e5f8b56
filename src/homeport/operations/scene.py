"""What a page is made from: one look at the asked port, and which of what was seen the asked address leads to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from homeport.model.addresses import Endpoint, IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.explanation import AddressExplanation, Explanation, PortExplanation, Resolution
from homeport.model.owners import Project
from homeport.model.page import Candidate
from homeport.model.snapshot import Listener, Netns, Query, Snapshot
from homeport.operations.explain import explain
from homeport.operations.ls import ALL_PROTOCOLS, EVERYTHING, look
from homeport.rules import history as memory
from homeport.rules import neighbours
from homeport.rules.neighbours import answerers, destination
from homeport.system import history, resolving
from homeport.system.addresses import addresses_of
from homeport.system.projects import Projects

MAX_NEAREST = 8
"""How many other listeners of the caller's project are named where nothing listens."""

_LOCAL_ROUTES = frozenset(("local", "broadcast", "multicast", "anycast"))


class Scene(NamedTuple):
    """`here`: the asked addresses that are this machine's; `away`: those that are not; both empty: only a port."""

    explanation: Explanation
    protocols: frozenset[Protocol]
    here: tuple[IPAddress, ...]
    away: tuple[IPAddress, ...]
    snapshot: Snapshot
    own: Netns | None
    source: str | None

    @property
    def endpoint(self) -> Endpoint:
        """What was asked for."""
        return self.explanation.endpoint

    @property
    def asked(self) -> tuple[IPAddress, ...]:
        """Every address that was asked for."""
        return (*self.here, *self.away)

    @property
    def netns(self) -> int | None:
        """The inode number of the caller's network namespace, where the source tells."""
        return None if self.own is None else self.own.inode

    @property
    def listening(self) -> list[Listener]:
        """Every listener with the asked port, of either protocol and in any namespace."""
        return [one for one in self.snapshot.listeners if one.socket.is_listener]

    def is_own(self, one: Listener) -> bool:
        """Whether a socket is in the caller's network namespace, as far as the source tells."""
        return self.netns is None or one.socket.netns == self.netns  # None: of one that the caller may not read

    def namespace(self, one: Listener) -> str:
        """What to call the network namespace of a socket."""
        number = one.socket.netns
        name = next((each.name for each in self.snapshot.netns if each.inode == number), None)
        return name or str(number)


def survey(text: str, source: str | None, seconds: float = resolving.SECONDS) -> Scene:
    """Read the text, and look at its port (at all ports where none is given). Raises AddressError and SourceError.

    `seconds`: for the resolver.
    """
    explanation = explain(text, seconds)
    endpoint = explanation.endpoint
    protocols = ALL_PROTOCOLS if endpoint.protocol is None else frozenset((endpoint.protocol,))
    # both protocols are looked at: "udp only" is one of the reasons why tcp does not answer
    query = Query(ALL_PROTOCOLS, frozenset((endpoint.port,)) if endpoint.port else None, bool(endpoint.port))
    snapshot = look(query, source)
    asked = () if endpoint.address is None and explanation.name is None else explanation.addresses
    here = tuple(one.address for one in asked if _is_here(one))
    away = tuple(one.address for one in asked if not _is_here(one))
    own = next((one for one in snapshot.netns if one.own), None)
    return Scene(explanation, protocols, here, away, snapshot, own, source)


def residents(scene: Scene) -> list[Listener]:
    """The listeners that the asked address leads to; for a port alone those of this namespace, else of any other."""
    listening = [one for one in scene.listening if one.socket.protocol in scene.protocols]
    if not scene.asked:
        return [one for one in listening if scene.is_own(one)] or listening
    found: dict[Listener, None] = {}
    for address in scene.here:
        if address.is_unspecified:  # those bound to it are asked for, though another may answer at loopback
            found |= {one: None for one in listening if scene.is_own(one) and one.socket.address == address}
        found |= _answering(address, listening, scene.netns)
    for netns in scene.snapshot.netns if scene.away else ():
        if not netns.own and any(one.socket.netns == netns.inode for one in listening):
            for address in addresses_of(netns).intersection(scene.away):
                found |= _answering(address, listening, netns.inode)
    return list(found)


def candidates(scene: Scene) -> tuple[Candidate, ...]:
    """Who answers at each address that a client of the typed name tries, or of `localhost`, or of the typed address."""
    listening = [one for one in scene.listening if scene.is_own(one)]
    if not scene.endpoint.port or not listening or (scene.away and not scene.here):
        return ()
    tried = _resolutions(scene)
    return tuple(
        one
        for protocol in sorted({each.socket.protocol for each in listening} & scene.protocols)
        for one in neighbours.candidates(tried, scene.endpoint.port, listening, scene.netns, protocol)
    )


def usual(scene: Scene, found: Sequence[Listener]) -> tuple[Evidence, ...]:
    """Who last or usually lives there; of what listens now nothing is said but that somebody else usually does."""
    port = scene.endpoint.port
    if not port:
        return ()
    remembered = history.recall()
    said: list[Evidence] = []
    present = {(one.program, one.project) for one in memory.sightings(scene.listening, scene.netns)}
    for protocol in sorted(scene.protocols):
        visits = memory.visits(remembered, protocol, port)
        if visits and (visits[0].program, visits[0].project) not in present:
            said += memory.usual(visits, protocol)
    if not found and scene.explanation.port is not None:
        said += _known_for(scene.explanation.port)
    return tuple(said)


def _known_for(port: PortExplanation) -> list[Evidence]:
    said = [Evidence("habit of developers' tools", f"{one.program}: {one.what}") for one in port.habits]
    registry = f"IANA service names, {port.registry_date.isoformat()}"
    services = {one.name: one for one in port.services}
    return said + [
        Evidence(registry, f"registered: {one.name}{f', {one.description}' if one.description else ''}")
        for one in services.values()
    ]


def of_same_project(scene: Scene, limits: dict[str, None]) -> tuple[Listener, ...]:
    """Where nothing listens: the listeners of the project that the caller stands in, nearest port first."""
    project = callers_project()
    if project is None:
        return ()
    everything = look(EVERYTHING, scene.source)
    limits |= dict.fromkeys(everything.limits)
    port = scene.endpoint.port or 0
    same = [
        one
        for one in everything.listeners
        if one.socket.port != scene.endpoint.port
        and any(each.project is not None and each.project.root == project.root for each in one.owners)
    ]
    return tuple(sorted(same, key=lambda one: (abs(one.socket.port - port), one.socket.port))[:MAX_NEAREST])


def callers_project() -> Project | None:
    """The project that the caller stands in."""
    try:
        return Projects().of(os.getcwd())
    except OSError:  # the folder was deleted: no project then
        return None


def _resolutions(scene: Scene) -> tuple[Resolution, ...]:
    told = tuple(dict.fromkeys(one for each in scene.explanation.addresses for one in each.resolutions))
    if scene.explanation.name is not None:
        told = tuple(one for one in told if one.name == scene.explanation.name)
    elif not all(destination(one).is_loopback for one in scene.here):
        told = ()
    return told or tuple(Resolution(name=str(one), address=one, source="as typed") for one in scene.here)


def _is_here(one: AddressExplanation) -> bool:
    """Whether packets to an address stay on this machine: it is loopback, or the kernel's routes say so."""
    if one.interfaces or destination(one.address).is_loopback:
        return True
    return any(route.kind in _LOCAL_ROUTES for route in one.routes)


def _answering(address: IPAddress, listening: Iterable[Listener], netns: int | None) -> dict[Listener, None]:
    """Who answers at an address, on every port among the given listeners."""
    by_port: dict[tuple[Protocol, int], list[Listener]] = {}
    for one in listening:
        by_port.setdefault((one.socket.protocol, one.socket.port), []).append(one)
    found: dict[Listener, None] = {}
    for (protocol, port), some in sorted(by_port.items()):
        found |= dict.fromkeys(answerers(address, port, some, netns, protocol))
    return found
