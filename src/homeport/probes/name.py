"""What the typed name gives here, in the order in which clients try it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from homeport.model.addresses import Protocol
from homeport.model.case import Candidate, Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.evidence import Evidence
from homeport.model.explanation import Resolution
from homeport.probes.kind import Probe, Surroundings, World
from homeport.rules.neighbours import LOOPBACK_INTERFACE, answerers, answerers_before_ranking, destination

_CLIENTS = (
    ("Python", "tries them in this order, the next one when one fails", "socket.create_connection"),
    (
        "Node.js",
        "tries them in this order since 17; since 20 the other family after 250 ms",
        "dns verbatim order, RFC 8305",
    ),
    (
        "curl",
        "takes localhost as 127.0.0.1 and ::1 by itself, and tries both families (RFC 8305)",
        "CURLOPT_RESOLVE, 7.77",
    ),
    ("browsers", "take localhost as loopback by themselves, ::1 first", "W3C Secure Contexts §5.2, RFC 6761 §6.3"),
)
"""How clients take `localhost`, and where that is said."""


def look(case: Case, world: World) -> Case:
    """The name, its addresses, their routes, and the sockets that the port has: they come from one look."""
    found = world.survey()
    netns = found.there or (None if found.own is None else found.own.inode)
    by = LOOPBACK_INTERFACE if found.there is None else None
    resolutions = tuple(dict.fromkeys(each for one in found.addresses for each in one.resolutions))
    if case.name is not None:
        resolutions = tuple(one for one in resolutions if one.name == case.name)
    case = replace(case, endpoint=case.endpoint._replace(protocol=_protocol(case, found, netns)))
    candidates = []
    for address in found.here:
        best = answerers(address, case.port, found.listening, netns, case.protocol, by)
        every = answerers_before_ranking(address, case.port, found.listening, netns, case.protocol, by)
        candidates.append(
            Candidate(
                address=address,
                source=next((one.source for one in resolutions if one.address == address), "as typed"),
                listener=best[0] if best else None,
                sharing=best,
                beaten=tuple(one for one in every if one not in best),
            )
        )
    return replace(
        case,
        netns=found.own,
        there=found.there,
        namespaces=found.namespaces,
        name_error=found.error,
        in_vain=found.in_vain,
        resolutions=resolutions,
        search=found.search if _is_searched(case.name, resolutions) else (),
        routes=tuple(route for one in found.addresses for route in one.routes),
        away=found.away,
        listening=found.listening,
        unix_sockets=found.unix_sockets,
        near=found.near,
        candidates=tuple(candidates),
        limits=(*case.limits, *found.limits),
    )


def _protocol(case: Case, found: Surroundings, netns: int | None) -> Protocol:
    """What was asked for; where nothing was said, TCP, unless only UDP answers."""
    if case.endpoint.protocol is not None:
        return case.endpoint.protocol
    answering = {
        protocol
        for protocol in Protocol
        for address in found.here
        if answerers(address, case.port, found.listening, netns, protocol)
    }
    return Protocol.UDP if answering == {Protocol.UDP} else Protocol.TCP


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """Each address with who said it; of `localhost`, how clients take it."""
    if case.name is None:
        if not case.resolutions:
            yield Observation(
                layer=Layer.NAME, outcome=Outcome.SKIPPED, detail="an address was typed: nothing to resolve"
            )
        return
    if case.name_error is not None:
        evidence = (Evidence("getaddrinfo(3)", case.name_error),)
        detail = f"{case.name} gives no address: {case.name_error}"
        yield Observation(layer=Layer.NAME, outcome=Outcome.FAILED, detail=detail, seconds=seconds, evidence=evidence)
        for one in case.in_vain:
            detail = f"{one.source} has it in vain: {one.text}"
            yield Observation(layer=Layer.NAME, outcome=Outcome.ODD, detail=detail, evidence=(one,))
        yield from _searched(case)
        return
    order = ", ".join(str(one.address) for one in case.resolutions) or "no address"
    sources = dict.fromkeys(one.source for one in case.resolutions)
    strange = any(_strange(one) for one in case.resolutions)
    yield Observation(
        layer=Layer.NAME,
        outcome=Outcome.ODD if strange or case.away else Outcome.OK,
        detail=f"{case.name} → {order} ({', '.join(sources)})",
        seconds=seconds,
        evidence=tuple(Evidence(one.source, f"{one.address} {one.name}") for one in case.resolutions),
    )
    yield from _searched(case)
    if case.name == "localhost" and len(case.resolutions) > 1 and _differ(case):
        for client, way, source in _CLIENTS:
            yield Observation(
                layer=Layer.NAME, outcome=Outcome.OK, detail=f"{client} {way}", evidence=(Evidence(source, way),)
            )


def _is_searched(name: str | None, resolutions: Iterable[Resolution]) -> bool:
    """Whether the resolver may have put a domain behind the name: not where the hosts file has it, nor after a dot."""
    if name is None or name == "localhost" or name.endswith((".", ".localhost")):
        return False
    return not any(one.source.startswith("/") for one in resolutions)


def _searched(case: Case) -> Iterator[Observation]:
    if case.search:
        detail = f"with the search domains {', '.join(case.search)} also {case.name}.{case.search[0]} is asked for"
        evidence = (Evidence("/etc/resolv.conf", f"search {' '.join(case.search)}"),)
        yield Observation(layer=Layer.NAME, outcome=Outcome.OK, detail=detail, evidence=evidence)


def _strange(one: Resolution) -> bool:
    local = one.name == "localhost" or one.name.endswith(".localhost")
    return local and not destination(one.address).is_loopback


def _differ(case: Case) -> bool:
    """Whether the order matters: not the same listener answers at each address."""
    return len({id(one.listener) for one in case.candidates}) > 1


PROBE = Probe(Layer.NAME, look, tell)
