"""Verdicts about TLS and certificates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.dialling import Failing, Failure
from homeport.model.evidence import Evidence
from homeport.model.tls import Certificate, Tls
from homeport.rules.neighbours import endpoint_text
from homeport.rules.verdicts.kind import Finding, at, command, edit, url, word

_SECURED = {
    "ws": "wss", "grpc": "grpcs", "redis": "rediss", "ldap": "ldaps", "amqp": "amqps", "mqtt": "mqtts",
    "imap": "imaps", "pop3": "pop3s", "smtp": "smtps", "ftp": "ftps",
}  # fmt: skip
"""The schemes of the same protocols within TLS."""
_NAMELESS = frozenset(("internal_error", "unrecognized_name", "handshake_failure", "access_denied"))
"""Alerts with which servers answer who asks for no name, where all their certificates are for names."""


def tls_expected(case: Case) -> Finding | None:
    """Plain text was asked for, and the peer speaks TLS."""
    plain = case.wish.plain or case.wants_http or case.scheme in _SECURED
    if case.wants_tls or not isinstance(case.tls, Tls) or not plain:
        return None
    if any(one.status < 400 for one in case.exchanges):
        return None  # it takes both
    scheme = _SECURED.get(case.scheme or "", "https")
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
    remedies = [logs]
    if case.name is None and case.wish.host is None and any(f"alert {one}" in case.tls.detail for one in _NAMELESS):
        asked = command(
            f"homeport check {_by_name(case)}", "a client of an address sends no name (SNI), and it may need one"
        )
        remedies.insert(0, asked)
    evidence = (Evidence("TLS handshake", case.tls.detail),)
    return Finding(Verdict.TLS_FAILED, Fault.SERVER, cause, evidence, tuple(remedies))


def _by_name(case: Case) -> str:
    return url(case, case.scheme, "localhost") if case.scheme else f"localhost:{case.port} --tls"


class _Shown(NamedTuple):
    """A handshake to be judged: where it was made (`there`, as 127.0.0.1:8443), under which URL, and for which name."""

    tls: Tls
    there: str
    url: str
    wanted: str

    @property
    def leaf(self) -> Certificate:
        """The server's own certificate."""
        return self.tls.chain[0]


def _shown(case: Case) -> _Shown | None:
    """That of the last redirection, where one led to TLS; else that of the asked address, where TLS is meant."""
    last = case.exchanges[-1] if len(case.exchanges) > 1 else None
    found = None
    if last is not None and last.tls is not None:
        there = endpoint_text(last.target.address, last.target.port)
        found = _Shown(last.tls, there, word(last.url.partition("?")[0]), urlsplit(last.url).hostname or there)
    elif isinstance(case.tls, Tls) and (case.wants_tls or not case.wants_http):
        found = _Shown(case.tls, at(case), url(case, "https"), case.wish.host or case.name or str(case.address))
    return found if found is not None and found.tls.chain else None


def certificate_expired(case: Case) -> Finding | None:
    """A certificate of the chain is not valid any more, or not yet."""
    seen = _shown(case)
    if seen is None:
        return None
    now = datetime.now(UTC)
    for one in seen.tls.chain:
        if one.valid_at(now):
            continue
        past = one.not_after < now
        when = f"expired on {one.not_after:%Y-%m-%d}" if past else f"is not valid before {one.not_before:%Y-%m-%d}"
        which = "the certificate" if one is seen.leaf else f"the issuing certificate {one.subject}"
        cause = f"{which} of {seen.there} {when}"
        return Finding(Verdict.CERTIFICATE_EXPIRED, Fault.SERVER, cause, (_evidence(one),), _renew(seen))
    return None


def certificate_name(case: Case) -> Finding | None:
    """The certificate is for other names."""
    seen = _shown(case)
    if seen is None or seen.tls.name_matches is not False:
        return None
    leaf = seen.leaf
    common = f" (clients do not read its subject, {leaf.subject})" if leaf.subject else ""
    names = ", ".join(leaf.names[:8]) or f"no name at all: it has no subjectAltName{common}"
    remedies = list(_renew(seen))
    if leaf.names and not leaf.names[0].startswith("*"):
        named = f"homeport check {seen.url} --host {word(leaf.names[0])}"
        remedies.append(command(named, f"if it is asked as {leaf.names[0]}"))
    cause = f"the certificate of {seen.there} is for {names}, not for {seen.wanted}"
    return Finding(Verdict.CERTIFICATE_NAME, Fault.SERVER, cause, (_evidence(leaf),), tuple(remedies))


def certificate_untrusted(case: Case) -> Finding | None:
    """Nobody whom this machine trusts has signed it, or not in such a way."""
    seen = _shown(case)
    if seen is None or seen.tls.trusted is not False:
        return None
    leaf = seen.leaf
    error = seen.tls.trust_error or "not trusted"
    evidence = (_evidence(leaf), Evidence("system's trust store", error))
    if not any(word in error for word in _STRANGERS):
        cause = f"the certificate of {seen.there} is refused on this machine: {error}"
        return Finding(Verdict.CERTIFICATE_UNTRUSTED, Fault.SERVER, cause, evidence, _renew(seen))
    top = _top(seen.tls.chain)
    why = f"its issuer {top.issuer} is not trusted here"
    if leaf.self_signed:
        why = "it is signed by itself"
    elif not top.self_signed:
        why += ", and the server does not send it"
    cause = f"the certificate of {seen.there} is not trusted on this machine: {why}"
    return Finding(Verdict.CERTIFICATE_UNTRUSTED, Fault.MACHINE, cause, evidence, tuple(_trusting(case, seen, top)))


_STRANGERS = ("self-signed", "self signed", "issuer", "unable to verify the first certificate", "not trusted")
"""Of OpenSSL's words (X509_verify_cert_error_string) those that say that the issuer is not known, or is the same."""
_TOOLS = {"mkcert": "mkcert -install", "Caddy Local Authority": "caddy trust"}
"""Makers of certificates for development, by a part of the issuer's name, and how each has its authority trusted."""


def _top(chain: tuple[Certificate, ...]) -> Certificate:
    """The last certificate that leads up from the server's own, as far as the server sends them."""
    top, left = chain[0], list(chain[1:])
    while not top.self_signed and (above := next((one for one in left if one.subject == top.issuer), None)):
        left.remove(above)
        top = above
    return top


def _trusting(case: Case, seen: _Shown, top: Certificate) -> Iterator[Remedy]:
    """How its issuer is made known; where the chain may only be short, that first."""
    leaf = seen.leaf
    known = next((words for mark, words in _TOOLS.items() if mark in top.issuer), None)
    if known is not None:
        yield command(known, "browsers and the system then trust its authority")
    elif top is leaf and not leaf.self_signed:
        chain = "give it the whole chain (fullchain.pem: its certificate, then those of its issuers)"
        yield edit(f"in the server: {chain}", f"if {leaf.issuer} is signed by an authority that is trusted")
    file = "ISSUER.pem"
    if leaf.self_signed:
        file = word(f"{case.name or 'server'}-{seen.there.rpartition(':')[2]}.pem")
        name = f" -servername {word(case.name)}" if case.name is not None else ""
        fetch = f"openssl s_client -connect {seen.there}{name} </dev/null | openssl x509 -out {file}"
        yield command(fetch, "writes it into a file")
    store = "/usr/local/share/ca-certificates/NAME.crt"
    whose = file if leaf.self_signed else f"the certificate of {top.issuer}"
    yield edit(f"put {whose} into {store}, then run update-ca-certificates", "system-wide (Debian)")
    if case.wants_http or case.scheme is None:
        yield command(f"curl --cacert {file} {seen.url}", "for one client alone")


def _evidence(one: Certificate) -> Evidence:
    dates = f"{one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}"
    return Evidence("certificate", f"{one.subject}, by {one.issuer}, {dates}, SHA-256 {one.fingerprint_sha256[:16]}…")


def _renew(seen: _Shown) -> tuple[Remedy, ...]:
    every = dict.fromkeys((seen.wanted, *seen.leaf.names[:4]))
    names = " ".join(word(one) for one in every if not one.startswith("-"))  # which would be an option
    return (
        command(f"mkcert {names}", "makes a new certificate for development; then give it to the server and reload it"),
        command("certbot renew", "if it comes from an ACME authority"),
    )
