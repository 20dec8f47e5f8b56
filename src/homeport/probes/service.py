"""What the service told about itself, and what its owner logged when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.case import Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.probes.kind import Probe, World


def look(case: Case, world: World) -> Case:
    """The last errors of the log, where there is an owner."""
    answers = bool(case.exchanges) and case.exchanges[-1].status < 500
    asked_a_page = case.wants_http or bool(case.exchanges) or case.exchange_failure is not None
    if case.listener is None or answers or (case.service is not None and not asked_a_page):
        return case
    return replace(case, said=world.said(case))


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """A line for each fact, and one for each logged error."""
    for name, value in case.service.facts if case.service is not None else ():
        yield Observation(layer=Layer.SERVICE, outcome=Outcome.OK, detail=f"{name}: {value}")
    for number, one in enumerate(case.said):
        detail = f"logged: {one.text}"
        time = seconds if not number else None
        yield Observation(layer=Layer.SERVICE, outcome=Outcome.ODD, detail=detail, seconds=time, evidence=(one,))


PROBE = Probe(Layer.SERVICE, look, tell)
