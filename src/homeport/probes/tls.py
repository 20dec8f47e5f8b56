"""A TLS handshake, where TLS is meant or is what speaks there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.case import Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.dialling import Failure
from homeport.model.evidence import Evidence
from homeport.probes.kind import Probe, World

_OLD = frozenset(("SSLv3", "TLSv1", "TLSv1.1"))


def look(case: Case, world: World) -> Case:
    """Nowhere else: to a server of plain text a handshake is rubbish, and may end up in its log."""
    if case.connected is None or case.greeting or case.closed_early or case.asleep:
        return case
    if case.spoken is not None and not case.spoken.tls:
        return case
    if case.wants_tls or (case.service is not None and case.service.tls):
        return replace(case, tls=world.tls(case))
    return case


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """Versions, cipher, ALPN; the certificate with its names, dates and trust."""
    seen = case.tls
    if seen is None:
        if case.wants_tls and case.connected is not None and not case.asleep:
            yield Observation(layer=Layer.TLS, outcome=Outcome.FAILED, detail="no TLS is spoken here", seconds=seconds)
        return
    if isinstance(seen, Failure):
        if case.wants_tls:
            detail = f"the handshake failed: {seen.detail}"
            yield Observation(layer=Layer.TLS, outcome=Outcome.FAILED, detail=detail, seconds=seconds)
        return
    alpn = f", {seen.alpn}" if seen.alpn else ""
    others = [one for one in seen.versions or () if one != seen.version]
    also = f"; takes {', '.join(others)} too" if others else ""
    yield Observation(
        layer=Layer.TLS, outcome=Outcome.OK, detail=f"{seen.version}, {seen.cipher}{alpn}{also}", seconds=seconds
    )
    if old := [one for one in seen.versions or () if one in _OLD]:
        detail = f"takes {' and '.join(old)}, which must not be used any more (RFC 8996)"
        yield Observation(layer=Layer.TLS, outcome=Outcome.ODD, detail=detail)
    for number, one in enumerate(seen.chain):
        names = f" for {', '.join(one.names[:6])}" if one.names and not number else ""
        until = one.not_after.date().isoformat()
        detail = f"{'certificate' if not number else 'issued by'} {one.subject}{names}, valid until {until}"
        evidence = (Evidence("certificate", f"SHA-256 {one.fingerprint_sha256}"),)
        yield Observation(layer=Layer.TLS, outcome=Outcome.OK, detail=detail, evidence=evidence)
    if seen.trusted is False:
        detail = f"not trusted here: {seen.trust_error}"
        yield Observation(layer=Layer.TLS, outcome=Outcome.FAILED, detail=detail)
    if seen.name_matches is False:
        detail = f"the certificate is not for {case.wish.host or case.name or case.address}"
        yield Observation(layer=Layer.TLS, outcome=Outcome.FAILED, detail=detail)


PROBE = Probe(Layer.TLS, look, tell)
