"""What the kernel does with a packet to each address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.case import Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.evidence import Evidence
from homeport.probes.kind import Probe, World


def look(case: Case, world: World) -> Case:
    """Whether packets to this machine itself get anywhere; the routes came with the addresses."""
    return replace(case, loopback=world.loopback())


def tell(case: Case, seconds: float) -> Iterator[Observation]:  # noqa: ARG001
    """One line for each address."""
    for one in case.routes:
        if one.error is not None:
            detail, outcome = f"{one.destination}: {one.error}", Outcome.FAILED
        elif one.destination in case.away:
            by = f" by {one.interface}" if one.interface else ""
            detail, outcome = f"{one.destination} would leave this machine{by}: nothing is sent", Outcome.FAILED
        else:
            by = f" by {one.interface}" if one.interface else ""
            detail, outcome = f"{one.destination} stays on this machine{by}", Outcome.OK
        evidence = (Evidence("rtnetlink(7) RTM_GETROUTE", f"{one.kind or one.error}"),)
        yield Observation(layer=Layer.ROUTE, outcome=outcome, detail=detail, evidence=evidence)
    if case.loopback is False:
        yield Observation(layer=Layer.ROUTE, outcome=Outcome.FAILED, detail="the loopback interface lo is down")


PROBE = Probe(Layer.ROUTE, look, tell)
