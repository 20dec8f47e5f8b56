"""An HTTP request for what was asked, and where it leads on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.addresses import Protocol
from homeport.model.case import Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.dialling import Failing, Failure
from homeport.model.evidence import Evidence
from homeport.model.tls import Tls
from homeport.probes.kind import Probe, World
from homeport.rules.ports import JETDIRECT
from homeport.rules.verdicts.kind import shown

_MAYBE_THE_HOST = frozenset((400, 403, 421))
"""Statuses with which servers refuse a Host."""
_WEB = frozenset(("http", "http/1", "http/2", "https", "grpc", "websocket"))


def look(case: Case, world: World) -> Case:
    """Where HTTP was asked for, or is what speaks there."""
    if case.connected is None or case.closed_early or case.asleep or not (case.wants_http or _speaks_http(case)):
        return case
    # where TLS is meant but not spoken, plain text shows what is there
    tls = isinstance(case.tls, Tls | Failure) and (case.wants_tls or (case.scheme is None and not case.wish.plain))
    exchanges, failure = world.request(case, tls=tls)
    case = replace(case, exchanges=exchanges, exchange_failure=failure)
    if _maybe_the_host(case) and (case.wish.host or case.name or "") != "localhost":
        again, _ = world.request(case, tls=tls, host="localhost")
        case = replace(case, as_localhost=again[-1] if again else None)
    return case


def _maybe_the_host(case: Case) -> bool:
    if case.exchanges:
        return case.exchanges[-1].status in _MAYBE_THE_HOST
    failure = case.exchange_failure  # nginx's 444 is no answer, but an end
    return case.spoken is not None and failure is not None and failure.failing in (Failing.CLOSED, Failing.RESET)


def _speaks_http(case: Case) -> bool:
    """Whether HTTP is worth trying: with all the time there is, a slow server may answer after all."""
    if case.spoken is not None:
        return case.spoken.protocol in _WEB
    return not case.greeting and case.scheme is None and case.protocol is Protocol.TCP and case.port not in JETDIRECT


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """Each request with its answer."""
    if case.asleep:
        detail = "not asked: nobody runs who could accept the connection"
        yield Observation(layer=Layer.HTTP, outcome=Outcome.SKIPPED, detail=detail)
    for one in case.exchanges:
        outcome = Outcome.FAILED if one.status >= 500 else Outcome.ODD if one.status >= 400 else Outcome.OK
        server = one.header("server")
        evidence = (
            Evidence("HTTP response", f"{one.version} {one.status}" + (f", Server: {server}" if server else "")),
        )
        detail = f"GET {shown(one.url)} → {one.status} {one.reason}".rstrip() + f" ({one.version})"
        yield Observation(layer=Layer.HTTP, outcome=outcome, detail=detail, seconds=one.first_byte, evidence=evidence)
        if one.broken is not None:
            detail = f"the body of the answer is not whole: {one.broken.value.replace('-', ' ')}"
            yield Observation(layer=Layer.HTTP, outcome=Outcome.FAILED, detail=detail)
    if case.exchange_failure is not None:
        detail = f"no answer: {case.exchange_failure.detail}"
        yield Observation(layer=Layer.HTTP, outcome=Outcome.FAILED, detail=detail, seconds=seconds)


PROBE = Probe(Layer.HTTP, look, tell)
