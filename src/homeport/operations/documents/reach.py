"""The document of `homeport reach`."""

from __future__ import annotations

from typing import Any

from homeport.model.reach import Advice, Proof, Reach, Reached, ReachReport, Way
from homeport.operations.documents import listing
from homeport.rules.naming import address_text


def document(report: ReachReport) -> dict[str, Any]:
    """`{taken_at, asked, summary, reaches, advice, proofs, agrees, limits}`; `agrees` is null without proofs."""
    return {
        "taken_at": report.taken_at.isoformat(),
        "asked": report.asked,
        "summary": list(report.summary),
        "reaches": [reach(one) for one in report.reaches],
        "advice": [advice(one) for one in report.advice],
        "proofs": [proof(one) for one in report.proofs],
        "agrees": None if not report.proofs else not report.disagrees,
        "limits": list(report.limits),
    }


def reach(one: Reach) -> dict[str, Any]:
    """One listener with its origins; `netns_name` is null in the caller's own namespace."""
    return {
        "listener": listing.listener(one.listener),
        "netns_name": one.netns,
        "from": [reached(each) for each in one.reached],
    }


def reached(one: Reached) -> dict[str, Any]:
    """One origin with its answer and every address that was considered."""
    origin = one.origin
    return {
        "kind": origin.kind.value,
        "name": origin.name,
        "netns": origin.netns,
        "interface": origin.interface,
        "networks": [str(each) for each in origin.networks],
        "answer": one.answer.value,
        "way": None if one.way is None else way(one.way),
        "ways": [way(each) for each in one.ways],
    }


def way(one: Way) -> dict[str, Any]:
    """One address from one origin."""
    return {
        "address": address_text(one.address),
        "port": one.port,
        "answer": one.answer.value,
        "connects": one.connects,
        "routed": one.routed,
        "leaves": one.leaves,
        "evidence": listing.evidence(one.why),
        "conditions": list(one.conditions),
    }


def advice(one: Advice) -> dict[str, Any]:
    """What to do, and its risk."""
    return {"kind": one.kind, "text": one.text, "command": one.is_command, "risk": one.risk}


def proof(one: Proof) -> dict[str, Any]:
    """What was tried, what was expected, and whether they agree (null: one of them says nothing)."""
    return {
        "from": one.origin,
        "protocol": one.protocol.value,
        "address": address_text(one.address),
        "port": one.port,
        "expected": way(one.expected),
        "connected": one.connected,
        "seen": one.seen,
        "agrees": one.agrees,
    }
