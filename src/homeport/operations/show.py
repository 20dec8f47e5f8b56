"""`homeport show`: everything about one address, on one page.

One look at the asked port, filtered by the kernel, answers most; a second one finds the other ends of its connections,
and only where nothing listens is the whole machine listed, for the other servers of the caller's project.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from homeport.model.addresses import IPAddress, Scope
from homeport.model.evidence import Evidence
from homeport.model.lineage import Lineage
from homeport.model.owners import Container, Reason
from homeport.model.page import Absence, Page, Peer, Resident
from homeport.model.provenance import Provenance
from homeport.model.publishing import Published
from homeport.model.snapshot import Listener, Query
from homeport.model.sockets import State
from homeport.operations import results
from homeport.operations.ls import ALL_PROTOCOLS, look
from homeport.operations.provenance import provenance
from homeport.operations.scene import Scene, candidates, of_same_project, residents, survey, usual
from homeport.rules.absence import Facts, absences
from homeport.rules.neighbours import destination, endpoint_text, other_end
from homeport.rules.reach import reach
from homeport.system import history
from homeport.system.addresses import addresses_of
from homeport.system.lineage import lineage_of
from homeport.system.publishing import Publishing

MAX_DETAILED = 8
"""For how many listeners of one page lineage and provenance are searched."""
MAX_PEERS = 200
"""For how many connections of one page the other end is searched."""

_FINISHED = frozenset((State.TIME_WAIT, State.BOUND_INACTIVE, State.CLOSE))


def show(text: str, source: str | None = None, *, passive: bool = False) -> Page:
    """The page about an address as a person types it; `residents` is empty where nothing listens.

    `passive`: nothing is sent to anybody. Raises AddressError for a text that is no address, SourceError where no
    source works.
    """
    scene = survey(text, source)
    publishing = Publishing()
    found = residents(scene)
    missing = () if any(scene.is_own(one) for one in found) else _absences(scene, bool(found))
    if not found:
        found, led = _redirected(scene, publishing)
        missing = (*led, *missing)
    near = tuple(one for one in scene.listening if one not in found) if scene.endpoint.port else ()
    limits = dict.fromkeys((*scene.snapshot.limits, *scene.explanation.limits))
    described = _described(scene, found, publishing, limits)
    logged = results.logged(described) if scene.endpoint.port else None  # before the probes, which servers log, too
    report = results.reached(text, scene, limits) if scene.endpoint.port else None
    if report is not None:
        described = results.with_reach(described, report)
    if not passive and scene.endpoint.port:
        described = results.with_services(described, limits)
    diagnosis = None if passive or not scene.endpoint.port else results.diagnosis(text, scene)
    peers = _peers(scene, found, limits)
    project_listeners = () if found else of_same_project(scene, limits)
    return Page(
        taken_at=scene.snapshot.taken_at,
        asked=scene.explanation.asked,
        endpoint=scene.endpoint,
        explanation=scene.explanation,
        residents=described,
        near=near,
        candidates=candidates(scene),
        peers=peers,
        absences=missing,
        usual=usual(scene, found),
        project_listeners=project_listeners,
        next=_next(scene, found, near, wrong=diagnosis is not None and not diagnosis.ok),
        netns=scene.netns,
        namespaces=scene.snapshot.netns,
        limits=tuple(dict.fromkeys((*limits, *publishing.limits))),
        source=scene.snapshot.source,
        diagnosis=diagnosis,
        reach=() if report is None else report.summary,
        logs=logged,
    )


def remember(page: Page) -> None:
    """Put what the page saw into the user's history; whatever is wrong with that, nothing fails."""
    history.record([*(one.listener for one in page.residents), *page.near, *page.project_listeners])


def _redirected(scene: Scene, publishing: Publishing) -> tuple[list[Listener], tuple[Absence, ...]]:
    """Where nothing listens: the containers' listeners that a rule leads the port to before it looks for a socket."""
    found: dict[Listener, None] = {}
    said = []
    for one in publishing.published_ports() if scene.endpoint.port and not (scene.away and not scene.here) else ():
        if one.host_port != scene.endpoint.port or one.protocol not in scene.protocols:
            continue
        if scene.here and one.host_address not in (None, *scene.here):
            continue
        said.append(
            Absence(
                reason="published",
                statement=f"no socket of its own, but led to {_target(one)} by {one.via}",
                evidence=one.evidence[0],
            )
        )
        if one.container is not None and one.target_port:
            query = Query(frozenset((one.protocol,)), frozenset((one.target_port,)))
            inside = (each for each in look(query, scene.source).listeners if _is_in(each, one.container))
            found |= dict.fromkeys(inside)
    return list(found), tuple(said)


def _target(one: Published) -> str:
    if one.container is not None:
        name = f"container {one.container.name or one.container.id[:12]}"
        return name if one.target_port is None else f"{name}, port {one.target_port}"
    return "an unknown place" if one.target_port is None else endpoint_text(one.target_address, one.target_port)


def _is_in(one: Listener, container: Container) -> bool:
    return any(each.container is not None and each.container.id == container.id for each in one.owners)


def _described(
    scene: Scene, found: Sequence[Listener], publishing: Publishing, limits: dict[str, None]
) -> tuple[Resident, ...]:
    """The listeners, the first `MAX_DETAILED` of a page about a port with why they run and why they have it."""
    detailed = MAX_DETAILED if scene.endpoint.port else 0
    if len(found) > detailed > 0:
        limits[f"why it runs and why this port: told for {detailed} of {len(found)} listeners"] = None
    known: dict[int, Lineage] = {}
    return tuple(
        _resident(scene, one, publishing, known) if number < detailed else _bare(scene, one)
        for number, one in enumerate(found)
    )


def _bare(scene: Scene, one: Listener) -> Resident:
    """A listener with what its bind address alone says."""
    netns = next((each for each in scene.snapshot.netns if each.inode == one.socket.netns), None)
    own = scene.is_own(one)
    has = addresses_of(netns) if netns is not None and not own and one.scope is Scope.EVERY else ()
    ways = reach(one, own=own, namespace=scene.namespace(one), addresses=has)
    return Resident(listener=one, lineage=None, provenance=None, reach=ways, leads_to=(), published=())


def _resident(scene: Scene, one: Listener, publishing: Publishing, known: dict[int, Lineage]) -> Resident:
    """A listener with its reasons; `known` are the lineages by process so far."""
    bare = _bare(scene, one)
    if not one.owners:
        return bare
    first = one.owners[0]
    pid = first.process.pid
    if pid not in known:
        known[pid] = lineage_of(first.process, container=first.container, unit=first.unit)
    behind = publishing.behind(one)
    published: list[Published] = []
    if first.container is not None and not scene.is_own(one):
        published = publishing.published_to(first.container, one.socket.protocol, one.socket.port)
    return replace(
        bare,
        lineage=known[pid],
        provenance=_provenance(scene, one, known[pid], behind),
        leads_to=() if behind is None else (behind,),
        published=tuple(published),
    )


def _provenance(scene: Scene, one: Listener, lineage: Lineage, behind: Published | None) -> Provenance:
    port = scene.explanation.port
    # each network namespace has a range of its own; that of another is not known here
    ephemeral = port.ephemeral if port is not None and scene.is_own(one) else None
    parents = [each.process for each in lineage.ancestors[1:]]
    return provenance(one, parents, ephemeral=ephemeral, published=behind)


def _peers(scene: Scene, found: Sequence[Listener], limits: dict[str, None]) -> tuple[Peer, ...]:
    """The connections to the listeners found, open ones first, each with its other end if that is on this machine."""
    places = {(one.socket.netns, one.socket.protocol) for one in found}
    to = {destination(one) for one in scene.asked if not one.is_unspecified}
    connected = [
        one
        for one in scene.snapshot.listeners
        if one.socket.peer_address is not None
        and one.socket.state not in _FINISHED
        and (one.socket.netns, one.socket.protocol) in places
        and (not to or destination(one.socket.address) in to)
    ]
    if not scene.endpoint.port or not connected:
        return ()
    connected.sort(key=_open_first)
    if len(connected) > MAX_PEERS:
        limits[f"other ends: looked for those of {MAX_PEERS} of {len(connected)} connections"] = None
    own = addresses_of(scene.own) if scene.own is not None else frozenset()
    near_by = [one for one in connected[:MAX_PEERS] if _may_end_here(one.socket.peer_address, own)]
    ports = frozenset(one.socket.peer_port for one in near_by if one.socket.peer_port)
    others = look(Query(ALL_PROTOCOLS, ports, connections=True), scene.source).listeners if ports else ()
    by_port: dict[int, list[Listener]] = {}
    for one in others:
        by_port.setdefault(one.socket.port, []).append(one)
    return tuple(
        Peer(socket=one.socket, owner=one, other_end=other_end(one.socket, by_port.get(one.socket.peer_port or 0, ())))
        for one in connected
    )


def _open_first(one: Listener) -> tuple[bool, str, int]:
    socket = one.socket
    return socket.state is not State.ESTABLISHED, str(socket.peer_address), socket.peer_port or 0


def _may_end_here(peer: IPAddress | None, own: frozenset[IPAddress]) -> bool:
    """Whether a peer's address can be on this machine: its own ones, and private ones, as namespaces have them."""
    if peer is None:
        return False
    peer = destination(peer)
    return peer in own or not peer.is_global


def _absences(scene: Scene, elsewhere: bool) -> tuple[Absence, ...]:
    """Why nothing listens; `elsewhere`: something does, but only in other namespaces."""
    found = []
    if scene.away and not scene.here and not elsewhere:
        addresses = " and ".join(str(one) for one in scene.away)
        found.append(
            Absence(
                reason="not-this-machine",
                statement=f"{addresses} is no address of this machine: what listens there cannot be seen from here",
                evidence=_route(scene),
            )
        )
        return tuple(found)
    if scene.endpoint.port:
        facts = Facts(
            protocol=scene.endpoint.protocol,
            addresses=scene.here,
            port=scene.endpoint.port,
            sockets=scene.snapshot.listeners,
            netns=scene.netns,
            namespaces={one.inode: one.name for one in scene.snapshot.netns if one.inode is not None},
            explanation=scene.explanation.port,
        )
        found += absences(facts)
    # what stands in the way of a listener here is no news where one was asked for wherever it is
    return tuple(one for one in found if not elsewhere or one.reason == "other-namespace")


def _route(scene: Scene) -> Evidence:
    for one in scene.explanation.addresses:
        for route in one.routes:
            if route.error is not None:
                return Evidence("kernel route", route.error)
            by = f" by {route.interface}" if route.interface else ""
            return Evidence("kernel route", f"{route.destination}: {route.kind}{by}")
    return Evidence("interfaces of this machine", "none has the address")


def _next(scene: Scene, found: Sequence[Listener], near: Sequence[Listener], *, wrong: bool) -> tuple[str, ...]:
    """One or two commands that would come next. `wrong`: it was tried, and it is not as it should be."""
    typed = shlex.quote(scene.explanation.asked)
    if any(one.unattributed is not None and one.unattributed.reason is Reason.OTHER_USER for one in found):
        return (f"sudo homeport {typed}", f"homeport explain {typed}")
    if found and wrong:
        return (f"homeport check {typed}", f"homeport logs {typed} --errors")
    project = next((each.project for one in found for each in one.owners if each.project is not None), None)
    if project is not None:
        return (f"homeport ls --project {shlex.quote(project.name)}", f"homeport explain {typed}")
    if found:
        return (f"homeport logs {typed}", f"homeport reach {typed}")
    if near:
        return (f"homeport {near[0].socket.port}", f"homeport explain {typed}")
    return (f"homeport explain {typed}", "homeport")
