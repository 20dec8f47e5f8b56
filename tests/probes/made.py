"""A made world, and what a step says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from homeport.model.case import Case
from homeport.model.diagnosis import Observation
from homeport.probes.kind import World


def world(**answers: Any) -> World:
    """A machine that gives these answers; a function is called with what is asked."""
    usual: dict[str, Any] = {
        "published": (), "judge": None, "untouchable": None, "conditions": (), "claims": (), "relatives": (),
        "usual": (), "behind": (), "loopback": True, "again": lambda one: one, "said": (),
        "recognise": None, "tls": None, "request": lambda *_, **__: ((), None), "carried": lambda *_, **__: None,
    }  # fmt: skip

    class Made:
        def __getattr__(self, asked: str) -> Callable[..., Any]:
            found = (usual | answers)[asked]
            return found if callable(found) else lambda *_: found

    return cast("World", Made())


def told(step: Any, one: Case) -> list[Observation]:
    found = list(step.PROBE.tell(one, 0.5))
    assert all(each.layer is step.PROBE.layer for each in found)
    return found
