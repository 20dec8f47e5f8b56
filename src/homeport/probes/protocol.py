"""What speaks there, by its own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.case import Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.dialling import Failing
from homeport.probes.kind import Probe, World


def look(case: Case, world: World) -> Case:
    """The service, as `homeport ls --services` recognises it."""
    if case.untouched is not None or any(
        one.failure is not None and one.failure.failing is Failing.NOT_THIS_MACHINE for one in case.attempts
    ):
        return case
    if (
        (case.connected is None and case.attempts)
        or (case.listener is None and case.connected is None)
        or case.closed_early
        or case.unaccepted  # each further connection would only take another place in its queue
    ):
        return case
    return replace(case, service=world.recognise(case))


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """Protocol, product and version."""
    one = case.service
    if one is None:
        if case.connected is not None:
            detail = "not recognised: it said nothing that proves a protocol"
            yield Observation(layer=Layer.PROTOCOL, outcome=Outcome.ODD, detail=detail, seconds=seconds)
        return
    product = " ".join(part for part in (one.product, one.version) if part)
    detail = one.protocol + (" in TLS" if one.tls else "") + (f": {product}" if product else "")
    if not one.spoke:
        detail += ", as its program makes likely: it said nothing"
    outcome = Outcome.OK if one.spoke else Outcome.ODD
    yield Observation(layer=Layer.PROTOCOL, outcome=outcome, detail=detail, seconds=seconds, evidence=one.evidence)


PROBE = Probe(Layer.PROTOCOL, look, tell)
