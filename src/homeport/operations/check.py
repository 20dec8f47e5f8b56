"""`homeport check`: try an address layer by layer, join what the client and the server see, and say what is wrong."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from homeport.errors import UsageError
from homeport.model.case import Case, Wish
from homeport.model.diagnosis import Diagnosis, Layer, Observation
from homeport.operations import places
from homeport.operations.scene import callers_project
from homeport.operations.world import Machine, proxies
from homeport.probes import PROBES
from homeport.rules.asked import Asked, parse
from homeport.rules.verdicts import judge
from homeport.rules.verdicts.again import kept

_ORDER = {layer: number for number, layer in enumerate(Layer)}


def check(text: str, wish: Wish | None = None, *, place: str | None = None, source: str | None = None) -> Diagnosis:
    """Take every step, whatever the one before said, and judge.

    `place`: a network namespace or container to try from; the whole program then enters it for good. Raises
    AddressError for a text that is no address, UsageError where it has no port, SourceError where nothing can be seen.
    """
    wish = wish or Wish()
    asked = parse(text)
    if not asked.endpoint.port:
        there = f"[{asked.text}]" if asked.endpoint.address is not None and ":" in asked.text else asked.text
        raise UsageError(f"{asked.text} has no port to try", remedy=f"for example: homeport check {there}:80")
    if place is not None:
        places.enter(place)
    return diagnose(asked, wish, Machine(text, wish.seconds, source))


def diagnose(asked: Asked, wish: Wish, machine: Machine) -> Diagnosis:
    """The steps and the verdict."""
    started, taken_at = time.monotonic(), datetime.now(UTC)
    case = _opened(asked, wish)
    observations: list[Observation] = []
    for probe in PROBES:
        before = time.monotonic()
        case = probe.look(case, machine)
        observations += probe.tell(case, time.monotonic() - before)
    found = judge(case)
    return Diagnosis(
        asked=case.asked,
        taken_at=taken_at,
        verdict=found.verdict,
        fault=found.fault,
        cause=found.cause,
        evidence=found.evidence,
        remedies=kept(case, found.verdict, found.remedies),
        confidence=found.confidence,
        observations=tuple(sorted(observations, key=lambda one: _ORDER[one.layer])),
        service=case.service,
        seconds=time.monotonic() - started,
        limits=tuple(dict.fromkeys((*case.limits, *machine.limits))),
    )


def _opened(asked: Asked, wish: Wish) -> Case:
    project = callers_project()
    return Case(
        asked=asked.text,
        endpoint=asked.endpoint,
        scheme=asked.scheme,
        path=asked.path or "/",
        path_is_default=asked.path is None,
        wish=wish,
        name=asked.name,
        environment=proxies(),
        callers_project=None if project is None else project.root,
    )
