"""Verdicts about TLS and certificates."""

from __future__ import annotations

from datetime import UTC, datetime

from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.dialling import Failing, Failure
from homeport.model.evidence import Evidence
from homeport.model.tls import Certificate, Tls
from homeport.rules.verdicts.kind import Finding, at, command, edit, url


def tls_expected(case: Case) -> Finding | None:
    """Plain text was asked for, and the peer speaks TLS."""
    if case.wants_tls or not isinstance(case.tls, Tls) or not (case.wish.plain or case.wants_http):
        return None
    if any(one.status < 400 for one in case.exchanges):
        return None  # it takes both
    scheme = {"ws": "wss", "grpc": "grpcs"}.get(case.scheme or "", "https")
    cause = f"{at(case)} speaks {case.tls.version}, and plain text was asked for"
    evidence = Evidence("TLS handshake", f"it completes: {case.tls.version}, {case.tls.cipher}")
    return Finding(
        Verdict.TLS_EXPECTED,
        Fault.CLIENT,
        cause,
        (evidence,),
        (command(f"homeport check {url(case, scheme)}", "with TLS"),),
    )


def plain_expected(case: Case) -> Finding | None:
    """TLS was asked for, and the peer speaks plain text."""
    if not case.wants_tls or case.tls is not None or case.connected is None or case.closed_early:
        return None
    service = case.service
    protocol = "http" if case.exchanges else service.protocol if service is not None and not service.tls else None
    if protocol is None:
        return None
    remedy = command(f"homeport check {at(case)} --plain", "without TLS")
    if protocol == "http" and case.wants_http:
        scheme = {"wss": "ws", "grpcs": "grpc"}.get(case.scheme or "", "http")
        remedy = command(f"homeport check {url(case, scheme)}", "without TLS")
    elif case.wants_http:
        return None
    evidence = service.evidence if service is not None else ()
    if case.exchanges:
        first = case.exchanges[0]
        evidence = (*evidence, Evidence("HTTP response", f"{first.version} {first.status} without TLS"))
    cause = f"{at(case)} speaks plain {protocol.upper() if protocol == 'http' else protocol}, and TLS was asked for"
    return Finding(Verdict.PLAIN_EXPECTED, Fault.CLIENT, cause, evidence, (remedy,))


def tls_failed(case: Case) -> Finding | None:
    """TLS was asked for, and the handshake ends without agreement."""
    if not case.wants_tls or not isinstance(case.tls, Failure) or case.connected is None:
        return None
    if (case.service is not None and not case.service.tls) or case.tls.failing is Failing.TIMED_OUT:
        return None
    cause = f"the TLS handshake with {at(case)} failed: {case.tls.detail}"
    logs = command(f"homeport logs {case.port}", "what the server says about it")
    return Finding(Verdict.TLS_FAILED, Fault.SERVER, cause, (Evidence("TLS handshake", case.tls.detail),), (logs,))


def certificate_expired(case: Case) -> Finding | None:
    """A certificate of the chain is not valid any more, or not yet."""
    leaf, seen = _leaf(case), _seen(case)
    if leaf is None or seen is None:
        return None
    now = datetime.now(UTC)
    for one in seen.chain:
        if one.not_before <= now <= one.not_after:
            continue
        past = one.not_after < now
        when = f"expired on {one.not_after:%Y-%m-%d}" if past else f"is not valid before {one.not_before:%Y-%m-%d}"
        which = "the certificate" if one is leaf else f"the issuing certificate {one.subject}"
        cause = f"{which} of {at(case)} {when}"
        return Finding(Verdict.CERTIFICATE_EXPIRED, Fault.SERVER, cause, (_evidence(one),), _renew(case, leaf))
    return None


def certificate_name(case: Case) -> Finding | None:
    """The certificate is for other names."""
    leaf, seen = _leaf(case), _seen(case)
    if leaf is None or seen is None or seen.name_matches is not False:
        return None
    wanted = case.wish.host or case.name or str(case.address)
    names = ", ".join(leaf.names[:8]) or "no name at all"
    remedies: list[Remedy] = []
    if leaf.names and not leaf.names[0].startswith("*"):
        named = f"homeport check {url(case, 'https')} --host {leaf.names[0]}"
        remedies.append(command(named, f"if it is asked as {leaf.names[0]}"))
    cause = f"the certificate of {at(case)} is for {names}, not for {wanted}"
    return Finding(Verdict.CERTIFICATE_NAME, Fault.SERVER, cause, (_evidence(leaf),), (*_renew(case, leaf), *remedies))


def certificate_untrusted(case: Case) -> Finding | None:
    """Nobody whom this machine trusts has signed it."""
    leaf, seen = _leaf(case), _seen(case)
    if leaf is None or seen is None or seen.trusted is not False:
        return None
    why = "it is signed by itself" if leaf.self_signed else f"its issuer {leaf.issuer} is not trusted here"
    cause = f"the certificate of {at(case)} is not trusted on this machine: {why}"
    evidence = (_evidence(leaf), Evidence("system's trust store", seen.trust_error or why))
    store = "/usr/local/share/ca-certificates/NAME.crt"
    remedies = (
        edit(
            f"put the certificate of its issuer into {store}, then run update-ca-certificates", "system-wide (Debian)"
        ),
        command("mkcert -install", "if it was made by mkcert: browsers and the system then trust its authority"),
        command(f"curl --cacert ISSUER.pem https://{at(case)}/", "for one client alone"),
    )
    return Finding(Verdict.CERTIFICATE_UNTRUSTED, Fault.MACHINE, cause, evidence, remedies)


def _seen(case: Case) -> Tls | None:
    """The handshake that counts: that of the last redirection, where one led to TLS."""
    if len(case.exchanges) > 1 and case.exchanges[-1].tls is not None:
        return case.exchanges[-1].tls
    return case.tls if isinstance(case.tls, Tls) else None


def _leaf(case: Case) -> Certificate | None:
    """The peer's certificate, where TLS is what is meant."""
    seen = _seen(case)
    if seen is None or not seen.chain:
        return None
    return seen.chain[0] if seen is not case.tls or case.wants_tls or not case.wants_http else None


def _evidence(one: Certificate) -> Evidence:
    dates = f"{one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}"
    return Evidence("certificate", f"{one.subject}, by {one.issuer}, {dates}, SHA-256 {one.fingerprint_sha256[:16]}…")


def _renew(case: Case, leaf: Certificate) -> tuple[Remedy, ...]:
    wanted = case.wish.host or case.name or str(case.address)
    names = " ".join(dict.fromkeys((wanted, *leaf.names[:4])))
    return (
        command(f"mkcert {names}", "makes a new certificate for development; then give it to the server and reload it"),
        command("certbot renew", "if it comes from an ACME authority"),
    )
