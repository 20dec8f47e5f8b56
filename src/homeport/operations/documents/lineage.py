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
    return {
        **listing.process(one.process),
        "role": one.role,
        "label": one.label,
        "cause": None if one.cause is None else one.cause.value,
        "adopted": one.adopted,
        "confidence": None if one.confidence is None else one.confidence.value,
        "evidence": listing.evidence(one.evidence),
    }
