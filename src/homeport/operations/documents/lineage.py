"""A lineage as JSON."""

from __future__ import annotations

from typing import Any

from homeport.model.lineage import Ancestor, Lineage
from homeport.operations.documents import listing


def document(one: Lineage) -> dict[str, Any]:
    """`{cause, summary, confidence, broken, ancestors, evidence}`; the process itself is the first of `ancestors`."""
    return {
        "cause": one.cause.value,
        "summary": one.summary,
        "confidence": one.confidence.value,
        "broken": one.broken,
        "ancestors": [ancestor(each) for each in one.ancestors],
        "evidence": listing.evidence(one.evidence),
    }


def ancestor(one: Ancestor) -> dict[str, Any]:
    """A process of the chain and what it is recognised as; `adopted` says that its own parent ended."""
    process = one.process
    return {
        "pid": process.pid,
        "start_ticks": process.start_ticks,
        "start_time": None if process.start_time is None else process.start_time.isoformat(),
        "name": process.name,
        "cmdline": None if process.cmdline is None else list(process.cmdline),
        "user": process.user,
        "role": one.role,
        "label": one.label,
        "cause": None if one.cause is None else one.cause.value,
        "adopted": one.adopted,
        "confidence": None if one.confidence is None else one.confidence.value,
        "evidence": listing.evidence(one.evidence),
    }
