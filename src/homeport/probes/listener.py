"""Which socket the kernel would hand a client to, and how its process is doing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.case import Case, Queue
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.sockets import State
from homeport.probes.kind import Probe, World
from homeport.rules.naming import label
from homeport.rules.neighbours import endpoint_text
from homeport.rules.verdicts.kind import is_own, owner, place, socket_evidence

_SHOWN = 4


def look(case: Case, world: World) -> Case:
    """The listener of the first address that has one, and how those that hold it, or share its port, are doing."""
    first = next((one for one in case.candidates if one.listener is not None), None)
    case = replace(case, published=world.published(case.port))
    if first is None or first.listener is None:
        return case
    return replace(
        case,
        address=first.address,
        listener=first.listener,
        queue=Queue.of(first.listener),
        conditions=tuple(
            dict.fromkeys(each for one in first.sharing or (first.listener,) for each in world.conditions(one))
        ),
    )


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """Who answers at each address; what stands in for a listener; what hinders the process."""
    for one in case.candidates:
        there = endpoint_text(one.address, case.port)
        if one.listener is None:
            yield Observation(
                layer=Layer.LISTENER, outcome=Outcome.FAILED, detail=f"{there}: nobody listens", seconds=seconds
            )
            continue
        detail = f"{there}: {owner(one.listener)}"
        if place(one.listener) != there:
            detail += f", listening on {place(one.listener)}"
        outcome = Outcome.ODD if one.beaten else Outcome.OK
        yield Observation(
            layer=Layer.LISTENER,
            outcome=outcome,
            detail=detail,
            seconds=seconds,
            evidence=(socket_evidence(one.listener),),
        )
    yield from _others(case)
    yield from _health(case)


def _others(case: Case) -> Iterator[Observation]:
    answering = [one.listener for one in case.candidates]
    others = [one for one in case.listening if one not in answering]
    for one in others[:_SHOWN]:
        where = "" if is_own(case, one) else " in another network namespace"
        protocol = "" if one.socket.protocol is case.protocol else f" ({one.socket.protocol.value})"
        detail = f"also on that port: {owner(one)} at {place(one)}{protocol}{where}"
        yield Observation(layer=Layer.LISTENER, outcome=Outcome.ODD, detail=detail, evidence=(socket_evidence(one),))
    for led in case.published if case.listener is None else ():
        name = "a container" if led.container is None else f"container {led.container.name or led.container.id[:12]}"
        detail = f"{led.via}: port {led.host_port} of this machine leads to {name}, port {led.target_port}"
        yield Observation(layer=Layer.LISTENER, outcome=Outcome.ODD, detail=detail, evidence=led.evidence)


def _health(case: Case) -> Iterator[Observation]:
    if case.queue is not None and case.queue.waiting:
        queue = case.queue
        outcome = Outcome.FAILED if queue.full else Outcome.ODD
        detail = f"{queue.waiting} connections wait for accept, of {queue.backlog + 1} that may"
        yield Observation(layer=Layer.LISTENER, outcome=outcome, detail=detail)
    for one in case.conditions:
        said = []
        if one.frozen is not None:
            said.append(f"frozen with its control group {one.frozen}")
        elif one.state in ("T", "t"):
            said.append("stopped" if one.tracer is None else f"held by its tracer, pid {one.tracer}")
        if one.descriptors is not None and one.limit is not None and one.descriptors >= one.limit:
            said.append(f"{one.descriptors} of {one.limit} descriptors open")
        if said:
            detail = f"{label(one.process)} (pid {one.process.pid}): {', '.join(said)}"
            yield Observation(layer=Layer.LISTENER, outcome=Outcome.FAILED, detail=detail)
    for path in case.unix_sockets[:_SHOWN]:
        detail = f"a server listens on the Unix socket {path}"
        yield Observation(layer=Layer.LISTENER, outcome=Outcome.ODD, detail=detail)
    inactive = [one for one in case.listening if one.socket.state is State.BOUND_INACTIVE]
    for each in inactive[:_SHOWN]:
        detail = f"{owner(each)} has bound {place(each)}, and does not listen"
        yield Observation(layer=Layer.LISTENER, outcome=Outcome.ODD, detail=detail, evidence=(socket_evidence(each),))


PROBE = Probe(Layer.LISTENER, look, tell)
