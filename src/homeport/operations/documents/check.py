"""The document of `homeport check`."""

from __future__ import annotations

from typing import Any

from homeport.model.diagnosis import Diagnosis, Observation
from homeport.operations.documents import listing


def document(one: Diagnosis) -> dict[str, Any]:
    """`{taken_at, diagnosis, limits}`; see `diagnosis`."""
    return {"taken_at": one.taken_at.isoformat(), "diagnosis": diagnosis(one), "limits": list(one.limits)}


def diagnosis(one: Diagnosis) -> dict[str, Any]:
    """`{verdict, ok, fault, cause, remedy, remedies, confidence, evidence, observations, service, seconds, asked}`.

    `remedy` is the text of the first of `remedies`, null where there is nothing to mend.
    """
    return {
        "asked": one.asked,
        "verdict": one.verdict.value,
        "ok": one.ok,
        "fault": one.fault.value,
        "cause": one.cause,
        "remedy": one.remedies[0].text if one.remedies else None,
        "remedies": [{"kind": each.kind.value, "text": each.text, "why": each.why} for each in one.remedies],
        "confidence": one.confidence.value,
        "evidence": listing.evidence(one.evidence),
        "observations": [observation(each) for each in one.observations],
        "service": None if one.service is None else listing.service(one.service),
        "seconds": round(one.seconds, 4),
    }


def observation(one: Observation) -> dict[str, Any]:
    """What one step saw."""
    return {
        "layer": one.layer.value,
        "outcome": one.outcome.value,
        "detail": one.detail,
        "seconds": None if one.seconds is None else round(one.seconds, 6),
        "evidence": listing.evidence(one.evidence),
    }
