"""A TCP connection to each address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.case import Attempt, Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.dialling import Failing, Failure
from homeport.probes.kind import Probe, Untouchable, World
from homeport.rules.neighbours import endpoint_text
from homeport.rules.verdicts.kind import is_own


def look(case: Case, world: World) -> Case:
    """All at once; where none succeeds, also who was told to have the port, and who else there is."""
    held = {one.address: one.listener for one in case.candidates if one.listener is not None}
    kept = {address: why for address, one in held.items() if (why := world.untouchable(one)) is not None}
    if kept:
        case = _untouched(case, kept)
    if case.protocol is Protocol.TCP:
        addresses = tuple(one.address for one in case.candidates if one.address not in kept)
        case = replace(case, attempts=(*case.attempts, *world.attempt(addresses, case.port)))
        case = _without_the_gone(case, world)
    first = case.connected
    if first is None and any(one.host_port == case.port for one in case.published):
        case = replace(case, behind=world.behind(case))
    if first is not None and first.address != case.address:
        answering = next((one.listener for one in case.candidates if one.address == first.address), None)
        case = replace(case, address=first.address, listener=answering or case.listener)
    elsewhere = any(
        is_own(case, one) and one.socket.protocol is case.protocol and one.socket.is_listener for one in case.listening
    )
    if case.listener is None and first is None and case.candidates and not elsewhere:
        case = replace(case, claims=world.claims(case), relatives=world.relatives(case), usual=world.usual())
    return case


def _without_the_gone(case: Case, world: World) -> Case:
    """Where a listener was seen and the connection is refused all the same: it may have ended between the two."""
    refused = {
        one.address for one in case.attempts if one.failure is not None and one.failure.failing is Failing.REFUSED
    }
    held = {one.listener for one in case.candidates if one.listener is not None and one.address in refused}
    gone = {one for one in held if world.again(one) is None}
    if not gone or case.connected is not None:
        return case
    candidates = tuple(
        replace(one, listener=None, sharing=(), beaten=()) if one.listener in gone else one for one in case.candidates
    )
    left = next((one for one in candidates if one.listener is not None), None)
    return replace(
        case, candidates=candidates, listening=tuple(one for one in case.listening if one not in gone),
        address=None if left is None else left.address, listener=None if left is None else left.listener,
        queue=None, conditions=(),
    )  # fmt: skip


def _untouched(case: Case, kept: dict[IPAddress, Untouchable]) -> Case:
    """What stands for the attempts that are not made."""
    attempts = tuple(
        Attempt(address=address, seconds=0.0, failure=Failure(Failing.NOT_THIS_MACHINE, one.why, None, 0.0))
        for address, one in kept.items()
        if one.leaves
    )
    alone = next((one for one in kept.values() if not one.leaves), None)
    if alone is None:
        return replace(case, attempts=attempts)
    return replace(case, attempts=attempts, service=alone.service, untouched=alone.why)


def tell(case: Case, seconds: float) -> Iterator[Observation]:  # noqa: ARG001
    """How each ended, with its own time."""
    if case.protocol is Protocol.UDP and case.candidates:
        detail = "UDP has no connections: whether somebody answers is seen when asked"
        yield Observation(layer=Layer.CONNECT, outcome=Outcome.SKIPPED, detail=detail)
    if case.untouched is not None:
        yield Observation(layer=Layer.CONNECT, outcome=Outcome.SKIPPED, detail=f"not tried: {case.untouched}")
    for one in case.attempts:
        there = endpoint_text(one.address, case.port)
        if one.failure is None:
            yield Observation(
                layer=Layer.CONNECT, outcome=Outcome.OK, detail=f"{there}: connected", seconds=one.seconds
            )
        else:
            detail = f"{there}: {one.failure.failing.value.replace('-', ' ')} ({one.failure.detail})"
            yield Observation(layer=Layer.CONNECT, outcome=Outcome.FAILED, detail=detail, seconds=one.seconds)


PROBE = Probe(Layer.CONNECT, look, tell)
