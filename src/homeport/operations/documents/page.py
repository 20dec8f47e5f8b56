"""The document of `homeport show`."""

from __future__ import annotations

from typing import Any

from homeport.model.page import Absence, Candidate, Page, Peer, Resident
from homeport.model.provenance import Provenance
from homeport.model.publishing import Published
from homeport.model.services import DatabaseFacts
from homeport.operations.documents import check, explanation, lineage, listing, logs, reach
from homeport.rules.naming import address_text


def document(page: Page) -> dict[str, Any]:
    """`{taken_at, source, asked, endpoint, explanation, listeners, near, candidates, peers, absences, usual, …}`.

    `listeners` are rows of `ls` with `lineage`, `provenance`, `reach`, `leads_to` and `published`; `near` and
    `project_listeners` are plain rows of `ls`.
    """
    endpoint = page.endpoint
    return {
        "taken_at": page.taken_at.isoformat(),
        "source": page.source,
        "asked": page.asked,
        "endpoint": {
            "protocol": None if endpoint.protocol is None else endpoint.protocol.value,
            "address": None if endpoint.address is None else str(endpoint.address),
            "port": endpoint.port,
        },
        "netns": page.netns,
        "namespaces": [listing.namespace(one) for one in page.namespaces],
        "explanation": explanation.document(page.explanation),
        "listeners": [resident(one) for one in page.residents],
        "near": [listing.listener(one) for one in page.near],
        "candidates": [candidate(one) for one in page.candidates],
        "peers": [peer(one) for one in page.peers],
        "absences": [absence(one) for one in page.absences],
        "usual": listing.evidence(page.usual),
        "project_listeners": [listing.listener(one) for one in page.project_listeners],
        "diagnosis": None if page.diagnosis is None else check.diagnosis(page.diagnosis),
        "reach": list(page.reach),
        "logs": None if page.logs is None else logs.document(page.logs),
        "next": list(page.next),
        "limits": list(page.limits),
    }


def resident(one: Resident) -> dict[str, Any]:
    """A row of `ls`, and why it runs, why it has its port, and from where it can be addressed."""
    return {
        **listing.listener(one.listener),
        "lineage": None if one.lineage is None else lineage.document(one.lineage),
        "provenance": None if one.provenance is None else provenance(one.provenance),
        "reach": {
            "scope": one.listener.scope.value,
            "basis": "bind address, network namespace, published ports",
            "evidence": listing.evidence(one.reach),
            "from": [] if one.effective is None else [reach.reached(each) for each in one.effective.reached],
        },
        "database": None if one.database is None else database(one.database),
        "leads_to": [published(each) for each in one.leads_to],
        "published": [published(each) for each in one.published],
    }


def database(one: DatabaseFacts) -> dict[str, Any]:
    """What a developer needs of a database."""
    return {**one._asdict(), "evidence": listing.evidence(one.evidence)}


def published(one: Published) -> dict[str, Any]:
    """A port of the machine that leads to a container."""
    return {
        "protocol": one.protocol.value,
        "host_address": None if one.host_address is None else str(one.host_address),
        "host_port": one.host_port,
        "target_address": None if one.target_address is None else str(one.target_address),
        "target_port": one.target_port,
        "container": None if one.container is None else listing.container(one.container),
        "via": one.via,
        "conditions": list(one.conditions),
        "evidence": listing.evidence(one.evidence),
    }


def provenance(one: Provenance) -> dict[str, Any]:
    """Why a listener has its port, with all that was read to find out."""
    return {
        "origin": one.origin.value,
        "statement": one.statement,
        "confidence": one.confidence.value,
        "file": one.file,
        "line": one.line,
        "evidence": listing.evidence(one.evidence),
        "searched": list(one.searched),
    }


def candidate(one: Candidate) -> dict[str, Any]:
    """An address that a client tries, and who answers there."""
    return {
        "address": address_text(one.address),
        "protocol": one.protocol.value,
        "listener": None if one.listener is None else listing.listener(one.listener),
        "evidence": one.evidence._asdict(),
    }


def peer(one: Peer) -> dict[str, Any]:
    """A connection: the socket on this side with its owners, and the other end if that is on this machine."""
    if one.owner is not None:
        found = listing.listener(one.owner)
    else:
        socket = one.socket
        found = {
            "protocol": socket.protocol.value,
            "address": address_text(socket.address),
            "port": socket.port,
            "state": socket.state.value,
            "peer_address": None if socket.peer_address is None else str(socket.peer_address),
            "peer_port": socket.peer_port,
        }
    return {**found, "other_end": None if one.other_end is None else listing.listener(one.other_end)}


def absence(one: Absence) -> dict[str, Any]:
    """A reason why nothing listens."""
    return {"reason": one.reason, "statement": one.statement, "evidence": one.evidence._asdict()}
