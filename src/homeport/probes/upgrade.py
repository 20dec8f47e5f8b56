"""What HTTP carries, where that is meant: a WebSocket is opened and closed, gRPC is asked for its health."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.case import Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.evidence import Evidence
from homeport.model.http import Health, Upgrade
from homeport.model.tls import Tls
from homeport.probes.kind import Probe, World


def look(case: Case, world: World) -> Case:
    """Only where the scheme says so: to others it is no question."""
    if case.connected is None or case.closed_early or case.asleep or case.untouched is not None:
        return case
    found = world.carried(case, tls=isinstance(case.tls, Tls) and case.wants_tls)
    if isinstance(found, Upgrade):
        return replace(case, upgrade=found, exchanges=(found.exchange,), exchange_failure=None)
    if isinstance(found, Health):
        return replace(case, health=found, exchanges=(found.exchange,), exchange_failure=None)
    return case


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """Whether it was agreed to, and what came of it."""
    if case.upgrade is not None:
        agreed = case.upgrade.agreed
        protocol = f" ({case.upgrade.protocol})" if case.upgrade.protocol else ""
        closed = ", and closed in good order" if case.upgrade.closed_cleanly else ""
        detail = f"WebSocket{protocol}: opened{closed}" if agreed else f"no WebSocket: {case.upgrade.refusal}"
        outcome = Outcome.OK if agreed else Outcome.FAILED
        yield Observation(layer=Layer.HTTP, outcome=outcome, detail=detail, seconds=case.upgrade.exchange.first_byte)
    if case.health is not None:
        said = ", ".join(part for part in (case.health.status, case.health.message, case.health.serving) if part)
        evidence = (Evidence("grpc-status", case.health.status),)
        outcome = Outcome.OK if case.health.serving in (None, "SERVING") else Outcome.ODD
        detail = f"gRPC, grpc.health.v1.Health/Check: {said}"
        yield Observation(layer=Layer.HTTP, outcome=outcome, detail=detail, seconds=seconds, evidence=evidence)


PROBE = Probe(Layer.HTTP, look, tell)
