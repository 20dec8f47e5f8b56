"""Verdicts about what HTTP carries: WebSocket and gRPC."""

from __future__ import annotations

from homeport.model.case import GRPC_SCHEMES, Case
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.evidence import Evidence
from homeport.rules.verdicts.kind import Finding, advice, at, command, url

_PLAIN = {"ws": "http", "wss": "https", "grpc": "http", "grpcs": "https"}
_WELL = frozenset(("OK", "UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED"))
"""With these a server that is well may answer: most have no health service, or not for everybody."""


def no_websocket(case: Case) -> Finding | None:
    """It answers as a web page does, where a WebSocket was asked for; errors of HTTP have a verdict of their own."""
    found = case.upgrade
    if found is None or found.agreed or found.exchange.status >= 400:
        return None
    cause = f"{at(case)} speaks HTTP, but no WebSocket at {case.path}: {found.refusal}"
    remedies = (
        advice("look for the path that the server upgrades", "frameworks use /ws, /socket.io/, /graphql, /_next/…"),
        command(f"homeport check {url(case, _PLAIN[case.scheme or 'ws'])}", "asks it as HTTP"),
    )
    return Finding(
        Verdict.WRONG_PROTOCOL, Fault.CLIENT, cause, (Evidence("HTTP response", found.refusal or ""),), remedies
    )


def no_grpc(case: Case) -> Finding | None:
    """It answers HTTP, where gRPC was asked for."""
    if case.scheme not in GRPC_SCHEMES or case.health is not None or not case.exchanges:
        return None
    last = case.exchanges[-1]
    cause = f"{at(case)} speaks {last.version}, but no gRPC: a call of its health service is not answered"
    remedy = command(f"homeport check {url(case, _PLAIN[case.scheme or 'grpc'])}", "asks it as HTTP")
    evidence = Evidence("HTTP response", f"{last.version} {last.status} {last.reason}".rstrip())
    return Finding(Verdict.WRONG_PROTOCOL, Fault.CLIENT, cause, (evidence,), (remedy,))


def grpc_unhealthy(case: Case) -> Finding | None:
    """It speaks gRPC, and says that it does not serve."""
    found = case.health
    if found is None or (found.status in _WELL and found.serving != "NOT_SERVING"):
        return None
    said = ": ".join(part for part in (found.serving or found.status, found.message) if part)
    cause = f"the gRPC server at {at(case)} says of its health: {said}"
    logs = command(f"homeport logs {case.port} --errors", "what it logged about it")
    return Finding(
        Verdict.SERVICE_ERROR, Fault.SERVER, cause, (Evidence("grpc.health.v1.Health/Check", said),), (logs,)
    )
