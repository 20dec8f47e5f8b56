"""What other commands find out about an address, in short, for the page about it: check, services, reach and logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from homeport.errors import HomeportError
from homeport.model.case import Wish
from homeport.model.diagnosis import Diagnosis
from homeport.model.logs import Logs
from homeport.model.page import Resident
from homeport.model.reach import ReachReport
from homeport.operations.check import diagnose
from homeport.operations.databases import databases
from homeport.operations.logs import recent
from homeport.operations.reach import reach
from homeport.operations.scene import Scene
from homeport.operations.services import recognise
from homeport.operations.world import Machine
from homeport.rules.asked import parse

PATIENCE = 2.0
"""Seconds that a check may take, and again recognising what speaks at the other listeners."""
MOST_ERRORS = 3
"""How many of the last logged errors are read."""


def diagnosis(text: str, scene: Scene) -> Diagnosis:
    """A short check."""
    return diagnose(parse(text), Wish(seconds=PATIENCE), Machine(text, PATIENCE, scene.source, scene))


def reached(text: str, scene: Scene, limits: dict[str, None]) -> ReachReport | None:
    """Who can connect; where that cannot be computed, a limit says why."""
    try:
        found = reach(text, scene.source, scene=scene)
    except HomeportError as error:
        limits[f"reach: {error}"] = None
        return None
    limits |= dict.fromkeys(found.limits)
    return found


def with_reach(residents: Sequence[Resident], report: ReachReport) -> tuple[Resident, ...]:
    """The residents, each with who can connect to it."""
    by_listener = {one.listener: one for one in report.reaches}
    return tuple(replace(one, effective=by_listener.get(one.listener)) for one in residents)


def with_services(residents: Sequence[Resident], limits: dict[str, None]) -> tuple[Resident, ...]:
    """The residents, each with what speaks there, and of a database what a developer needs."""
    found = recognise([one.listener for one in residents], seconds=PATIENCE, limits=limits)
    return tuple(
        replace(
            one,
            listener=one.listener._replace(service=found.get(one.listener)),
            database=databases(one.listener, found.get(one.listener)),
        )
        for one in residents
    )


def logged(residents: Sequence[Resident]) -> Logs | None:
    """The last errors of whoever holds the first listener that has an owner; None where nobody is known."""
    first = next((one.listener for one in residents if one.listener.owners), None)
    return None if first is None else recent(first, most=MOST_ERRORS, errors_only=True)
