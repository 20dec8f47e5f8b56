"""The machine as a check sees it: `probes.kind.World`, by what `system` can do."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from homeport.errors import AddressError, HomeportError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.case import GRPC_SCHEMES, WEBSOCKET_SCHEMES, Attempt, Case, Claim, Condition
from homeport.model.dialling import Failing, Failure, Target
from homeport.model.evidence import Evidence
from homeport.model.firewall import Judgement, Ruleset
from homeport.model.http import Exchange, Health, Upgrade
from homeport.model.publishing import Published
from homeport.model.services import Service
from homeport.model.snapshot import Listener, Query
from homeport.model.tls import Tls
from homeport.operations import logs, services
from homeport.operations.ls import EVERYTHING, look
from homeport.operations.scene import Scene, of_same_project, survey, usual
from homeport.probes.kind import Greeting, Surroundings, Untouchable
from homeport.rules import claims
from homeport.rules import firewall as rules
from homeport.rules.asked import parse
from homeport.rules.neighbours import answerers, destination
from homeport.rules.ports import mistyped
from homeport.rules.proxies import VARIABLES
from homeport.rules.verdicts.kind import is_own
from homeport.system import conditions, firewall, http_client, namespaces, resolving, routing
from homeport.system.addresses import addresses_of
from homeport.system.dialling import Connection, dial, refusal, tls_versions
from homeport.system.publishing import Publishing

GREETING = 0.25
"""Seconds for which a peer may speak first."""
_RESOLVE, _CONNECT = 0.4, 0.4
_RECOGNISE, _RECOGNISE_WEB, _TLS_VERSIONS = 0.6, 0.3, 0.4
_READY = 1.0
"""Seconds for the question whether a service serves."""
_WATCH = 0.25
_WATCH_LONGER = 0.5
_TICK = 0.1
"""Resolving, connecting and watching take these shares of the time in all; seconds between two looks at what runs."""
_MOST_NEAR = 2
"""Of how many listeners is said that the asked port may be theirs, mistyped."""


class Machine:
    """See `probes.kind.World`. `seconds` is for all calls together."""

    def __init__(self, text: str, seconds: float, source: str | None, scene: Scene | None = None) -> None:
        self._text = text
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._source = source
        self._scene = scene
        self._page = scene is not None  # nobody asked whether it serves
        self._rules: Ruleset | None = None
        self.limits: dict[str, None] = {}

    def left(self) -> float:
        """Seconds left."""
        return max(0.0, self._until - time.monotonic())

    def survey(self) -> Surroundings:
        """One look; a name that gives nothing is an answer."""
        try:
            patience = min(resolving.SECONDS, self._seconds * _RESOLVE)
            scene = survey(self._text, self._source, patience) if self._scene is None else self._scene
        except AddressError:
            raise
        except HomeportError as error:
            why = error.why or error.what
            name = parse(self._text).name
            return Surroundings(
                name, why, (), (), (), (), None, {}, (), resolving.search_domains(),
                in_vain=() if name is None else resolving.in_vain(name),
            )  # fmt: skip
        self._scene = scene
        there = _next_door(scene)
        here = scene.here or (() if scene.away else tuple(one.address for one in scene.explanation.addresses))
        return Surroundings(
            name=scene.explanation.name,
            error=None,
            addresses=scene.explanation.addresses,
            here=here if there is None else scene.away,
            away=scene.away if there is None else (),
            there=there,
            listening=tuple(one for one in scene.snapshot.listeners if one.socket.peer_address is None),
            own=scene.own,
            namespaces={one.inode: one.name for one in scene.snapshot.netns if one.inode is not None},
            limits=(*scene.snapshot.limits, *scene.explanation.limits),
            search=resolving.search_domains(),
            near=() if scene.listening else _near(scene, self._source),
            unix_sockets=() if scene.listening else conditions.unix_sockets(scene.endpoint.port or 0),
        )

    def loopback(self) -> bool | None:
        """Of the caller's namespace."""
        try:
            return next((one.up for one in routing.interfaces() if one.name == "lo"), None)
        except OSError:  # no netlink: the connection will tell
            return None

    def published(self, port: int) -> tuple[Published, ...]:
        """By rules, engines and forwarders."""
        publishing = Publishing()
        found = tuple(one for one in publishing.published_ports() if port in (one.host_port, one.target_port))
        self.limits |= dict.fromkeys(publishing.limits)
        return found

    def behind(self, case: Case) -> tuple[Listener, ...]:
        """By one look at the ports that the containers have inside."""
        led = [one for one in case.published if one.host_port == case.port and one.container is not None]
        ports = frozenset(one.target_port for one in led if one.target_port is not None)
        if not ports:
            return ()
        containers = {one.container.id for one in led if one.container is not None}
        return tuple(
            one
            for one in look(Query(frozenset((case.protocol,)), ports), self._source).listeners
            if not is_own(case, one)
            and any(each.container is not None and each.container.id in containers for each in one.owners)
        )

    def judge(self, case: Case, address: IPAddress) -> Judgement | None:
        """By the rules of this namespace, on the way of a packet from here to here."""
        if self._rules is None:
            self._rules = firewall.ruleset()
            self.limits |= dict.fromkeys(self._rules.limits)
        return rules.judge_local(self._rules, destination(address), case.port, case.protocol)

    def untouchable(self, listener: Listener) -> Untouchable | None:
        """By its owner's program and arguments."""
        why = services.unasked(listener)
        if why is not None:
            return Untouchable(why, services.leads_away(listener), None)
        known = services.fragile(listener)
        name = None if known is None else known.product or known.protocol
        return None if name is None else Untouchable(f"{name}: a connection would harm it", False, known)

    def attempt(self, addresses: tuple[IPAddress, ...], port: int) -> tuple[Attempt, ...]:
        """In a thread each."""
        seconds = min(self.left(), max(0.2, self._seconds * _CONNECT))

        def one(address: IPAddress) -> Attempt:
            started = time.monotonic()
            found = dial(Target(address, port), seconds)
            if isinstance(found, Failure):
                return Attempt(address=address, seconds=time.monotonic() - started, failure=found)
            found.close()
            return Attempt(address=address, seconds=found.seconds, failure=None)

        if not addresses:
            return ()
        with ThreadPoolExecutor(len(addresses)) as pool:
            return tuple(pool.map(one, addresses))

    def greeting(self, address: IPAddress, port: int) -> Greeting | Failure:
        """Some bytes, or silence."""
        found = dial(Target(address, port), self.left())
        if isinstance(found, Failure):
            return found
        with found:
            said = found.receive(seconds=min(GREETING, self.left()))
            return Greeting(said, found.ended or found.failing is not None)

    def tls(self, case: Case) -> Tls | Failure | None:
        """Without trusting anybody: what the peer shows is judged afterwards."""
        found = _dial(case, self.left())
        if isinstance(found, Failure):
            return found
        name = http_client.plain_name(case.wish.host or case.name or _host(case))
        with found:
            shown = found.start_tls(server_name=name, alpn=("h2", "http/1.1"))
        if not isinstance(shown, Tls):
            return shown
        return replace(shown, versions=tls_versions(found.target, name, min(self.left() * _TLS_VERSIONS, 2.0)))

    def recognise(self, case: Case) -> Service | None:
        """As `homeport ls --services` does, asked again."""
        if case.listener is None:
            return None
        share = _RECOGNISE_WEB if case.wants_http else _RECOGNISE
        found = services.recognise_one(case.listener, seconds=min(self.left() * share, 2.5), cached=False)
        ready = None if found is None or not found.spoke or found.tls else services.readiness(found)
        if found is None or ready is None or self._page or case.wants_http:
            return found
        connection = _dial(case, min(self.left(), _READY))
        if isinstance(connection, Failure):
            return found
        with connection:
            fact = ready(connection)
        return found if fact is None else found._replace(facts=(*found.facts, fact))

    def request(self, case: Case, *, tls: bool, host: str | None = None) -> tuple[tuple[Exchange, ...], Failure | None]:
        """GET, and the redirects that stay here."""
        if case.address is None:
            return (), None
        return http_client.follow(
            Target(case.address, case.port),
            host=host or case.wish.host or _host(case),
            path=case.path,
            tls=tls,
            http2=case.wish.http2,
            seconds=self.left(),
            barred=lambda target: _barred(target, self._source),
        )

    def carried(self, case: Case, *, tls: bool) -> Upgrade | Health | Failure | None:
        """A WebSocket is closed at once; of a gRPC server the health of the whole is asked."""
        if case.address is None or case.scheme not in WEBSOCKET_SCHEMES | GRPC_SCHEMES:
            return None
        target, host = Target(case.address, case.port), case.wish.host or _host(case)
        if case.scheme in WEBSOCKET_SCHEMES:
            return http_client.upgrade(target, host=host, path=case.path, tls=tls, seconds=self.left())
        found = http_client.health(target, host=host, tls=tls, seconds=self.left())
        return None if isinstance(found, Exchange) else found

    def conditions(self, listener: Listener) -> tuple[Condition, ...]:
        """Of every holder; those that have ended are left out."""
        found = (conditions.condition(one.process) for one in listener.owners)
        return tuple(one for one in found if one is not None)

    def again(self, listener: Listener) -> Listener | None:
        """By one more look at the port."""
        query = Query(frozenset((listener.socket.protocol,)), frozenset((listener.socket.port,)))
        try:
            found = look(query, self._source).listeners
        except HomeportError:  # it could be seen a moment ago: what was seen then has to do
            return listener
        return next((one for one in found if one.socket.inode == listener.socket.inode), None)

    def claims(self, case: Case) -> tuple[Claim, ...]:
        """Looked for again and again for a moment, and longer if somebody comes or goes, or may do so."""
        started, left = time.monotonic(), self.left()
        looks = [conditions.claims(case.port)]
        supervised = conditions.supervised()
        while time.monotonic() < started + min(self._seconds * _watch(looks, supervised), left * _WATCH_LONGER):
            time.sleep(_TICK)
            looks.append(conditions.claims(case.port))
        found = claims.fold(looks)
        return _placed(found, look(EVERYTHING, self._source).listeners) if found else ()

    def relatives(self, case: Case) -> tuple[Listener, ...]:  # noqa: ARG002
        """By the folder that the caller stands in."""
        if self._scene is None:
            return ()
        return tuple(one for one in of_same_project(self._scene, self.limits) if one.socket.protocol is Protocol.TCP)

    def usual(self) -> tuple[Evidence, ...]:
        """By the history of earlier looks, and by what is known of the port."""
        return () if self._scene is None else usual(self._scene, [])

    def said(self, case: Case) -> tuple[Evidence, ...]:
        """The newest of them."""
        if case.listener is None:
            return ()
        found = logs.recent(case.listener, most=3, errors_only=True, seconds=min(0.5, self.left()))
        return tuple(dict.fromkeys(Evidence(one.source, brief(one.text)) for one in found.lines))


def brief(text: str) -> str:
    """An entry of a log in a line: its first, and what a traceback ends with."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    if len(lines) < 2:
        return text.strip()
    return lines[0] if lines[-1][0].isspace() else f"{lines[0]} … {lines[-1]}"


def _near(scene: Scene, source: str | None) -> tuple[Listener, ...]:
    """Listeners of TCP in this namespace, whose port is almost the asked one, the nearest first."""
    port = scene.endpoint.port or 0
    found = [
        one
        for one in look(EVERYTHING, source).listeners
        if one.socket.protocol is Protocol.TCP
        and one.socket.peer_address is None
        and scene.is_own(one)
        and mistyped(port, one.socket.port)
    ]
    return tuple(sorted(found, key=lambda one: (abs(one.socket.port - port), one.socket.port))[:_MOST_NEAR])


def _next_door(scene: Scene) -> int | None:
    """The other namespace of this machine that has the asked addresses, as far as no packet to them leaves it."""
    port, protocol = scene.endpoint.port, scene.endpoint.protocol or Protocol.TCP
    if not scene.away or scene.here or not port:
        return None
    for netns in scene.snapshot.netns:
        if netns.own or netns.inode is None or not addresses_of(netns).issuperset(scene.away):
            continue
        if all(refusal(Target(one, port, protocol)) is None for one in scene.away):
            return netns.inode
    return None


def _dial(case: Case, seconds: float) -> Connection | Failure:
    if case.address is None:
        return Failure(Failing.OTHER, "no address", None, 0.0)
    return dial(Target(case.address, case.port, case.protocol), seconds)


def _barred(target: Target, source: str | None) -> str | None:
    """Why a redirection is not followed to a target of this machine: by one look at who listens there."""
    try:
        found = look(Query(frozenset((target.protocol,)), frozenset((target.port,))), source).listeners
    except HomeportError as error:  # what nobody can see is not touched because a server says so
        return error.why or error.what
    reached = answerers(target.address, target.port, found, namespaces.own(), target.protocol)
    return next((why for one in reached if (why := services.no_destination(one)) is not None), None)


def proxies() -> dict[str, str]:
    """The variables of the caller's environment that send clients to a proxy."""
    return {name: value for name, value in os.environ.items() if name.lower() in VARIABLES and value}


def _host(case: Case) -> str:
    return case.name or ("localhost" if case.endpoint.address is None else _bracketed(case.endpoint.address))


def _bracketed(address: IPAddress) -> str:
    plain = destination(address)
    return f"[{plain}]" if plain.version == 6 else str(plain)


def _watch(looks: Sequence[claims.Look], supervised: bool) -> float:
    """For which share of the time the processes that were told the port are watched."""
    return _WATCH_LONGER if supervised or claims.unsettled(looks) else _WATCH


def _placed(claims: Sequence[Claim], listeners: Sequence[Listener]) -> tuple[Claim, ...]:
    """The claims with where they, or children of theirs, listen."""
    by_pid: dict[int, list[Listener]] = {}
    for one in listeners:
        for owner in one.owners:
            for pid in {owner.process.pid, owner.process.ppid or 0}:
                by_pid.setdefault(pid, []).append(one)
    return tuple(replace(one, listening=tuple(by_pid.get(one.process.pid, ()))) for one in claims)
