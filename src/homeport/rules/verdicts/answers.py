"""Verdicts about what comes back: nothing, an end, another protocol, or all that was wanted."""

from __future__ import annotations

import re

from homeport.model.addresses import Protocol
from homeport.model.case import WEB_SCHEMES, Case
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.dialling import MID_HEADER, TLS_ALERT, Failing
from homeport.model.evidence import Confidence, Evidence
from homeport.model.tls import Tls
from homeport.rules.verdicts.kind import Finding, advice, at, command, edit, owner, shown, socket_evidence, url, word

_HTTP = frozenset(("http", "http/2", "grpc", "websocket"))
_SPEAKS = {
    **dict.fromkeys(("http", "https", "ws", "wss"), _HTTP),
    **dict.fromkeys(("grpc", "grpcs"), frozenset(("grpc", "http/2", "http"))),
    **dict.fromkeys(("postgres", "postgresql"), frozenset(("postgresql",))),
    **dict.fromkeys(("mysql", "mariadb"), frozenset(("mysql",))),
    **dict.fromkeys(("redis", "rediss", "valkey"), frozenset(("redis",))),
    **dict.fromkeys(("amqp", "amqps"), frozenset(("amqp",))),
    **dict.fromkeys(("mqtt", "mqtts"), frozenset(("mqtt",))),
    **dict.fromkeys(("ssh", "sftp"), frozenset(("ssh",))),
    **dict.fromkeys(("ftp", "ftps"), frozenset(("ftp",))),
    **dict.fromkeys(("imap", "imaps"), frozenset(("imap",))),
    **dict.fromkeys(("pop3", "pop3s"), frozenset(("pop3",))),
    **dict.fromkeys(("smtp", "smtps"), frozenset(("smtp",))),
    **dict.fromkeys(("ldap", "ldaps"), frozenset(("ldap",))),
    "mongodb": frozenset(("mongodb",)),
    "nats": frozenset(("nats",)),
    "rsync": frozenset(("rsync",)),
    "vnc": frozenset(("vnc",)),
    "rdp": frozenset(("rdp",)),
}
"""Which protocols of services a URL's scheme can mean."""
_LONGEST_WORD = 4096
_SILENT = frozenset((Failing.TIMED_OUT, Failing.CLOSED, Failing.RESET))
_FULL = ("too many", "no more")
_SCHEMES = {"http/2": "http", "mysql": "mysql", "postgresql": "postgresql", "redis": "redis"}


def wrong_protocol(case: Case) -> Finding | None:
    """Something else is spoken there than the URL says."""
    service = case.service
    wanted = _SPEAKS.get(case.scheme or "")
    if wanted is None:
        return None
    if service is None:
        return _greets(case) if case.greeting and not case.exchanges else None
    if service.protocol in (*wanted, "tls"):
        return None
    product = " ".join(part for part in (service.product, service.version) if part)
    name = product or service.protocol
    scheme = _SCHEMES.get(service.protocol, service.protocol)
    cause = f"{at(case)} speaks {service.protocol}{f' ({product})' if product else ''}, not {case.scheme}"
    there = url(case, scheme) if scheme in WEB_SCHEMES else f"{scheme}://{at(case)}"
    remedy = command(f"homeport check {there}", f"asks it as {service.protocol}")
    if scheme not in _SPEAKS:
        remedy = advice(f"use a client for {service.protocol}", f"{name} is what is there")
    return Finding(Verdict.WRONG_PROTOCOL, Fault.CLIENT, cause, service.evidence, (remedy,))


def _greets(case: Case) -> Finding:
    """It speaks first, and nobody knows what; a URL's scheme is known, and is none in which the server does."""
    said = shown((case.greeting or b"").split(b"\n", 1)[0][:60].decode("utf-8", "backslashreplace").rstrip("\r"))
    cause = f"{owner(case.listener)} says {said!r} at once at {at(case)}, which is no {case.scheme}"
    remedy = command(f"homeport check {at(case)}", "the same without a scheme")
    return Finding(
        Verdict.WRONG_PROTOCOL, Fault.CLIENT, cause, (Evidence("connection", f"says at once: {said}"),), (remedy,),
        Confidence.LIKELY,
    )  # fmt: skip


def http2_only(case: Case) -> Finding | None:
    """It speaks HTTP/2 alone, and HTTP/1.1 was asked for."""
    service, failure = case.service, case.exchange_failure
    by_service = service is not None and service.protocol in ("http/2", "grpc")
    by_answer = failure is not None and failure.failing is Failing.ONLY_HTTP2
    if not (by_service or by_answer) or case.wish.http2 or case.exchanges:
        return None
    grpc = service is not None and service.protocol == "grpc"
    if case.scheme in ("grpc", "grpcs") or (case.scheme is None and grpc):
        return None
    what = "gRPC over HTTP/2" if grpc else "HTTP/2"
    evidence = service.evidence if service is not None else ()
    if failure is not None and by_answer:
        evidence = (*evidence, Evidence("HTTP response", failure.detail))
    option = "--http2" if isinstance(case.tls, Tls) else "--http2-prior-knowledge"
    scheme = "https" if isinstance(case.tls, Tls) else "http"
    cause = f"{at(case)} speaks {what} only: it does not answer HTTP/1.1"
    return Finding(
        Verdict.HTTP2_ONLY, Fault.CLIENT, cause, evidence,
        (command(f"homeport check {url(case, scheme)} --http2", "with HTTP/2 from the first byte"),
         command(f"curl {option} {url(case, scheme)}", "the same for curl")),
    )  # fmt: skip


def no_http(case: Case) -> Finding | None:
    """HTTP was asked for, and what comes back is none, or HTTP/1.1 where HTTP/2 was asked for."""
    failure = case.exchange_failure
    if failure is None or failure.failing is not Failing.NOT_HTTP or case.exchanges:
        return None
    evidence = (Evidence("connection", failure.detail),)
    if case.wish.http2 and case.spoken is not None and case.spoken.protocol == "http":
        cause = f"{at(case)} speaks HTTP/1.1 only, and HTTP/2 from the first byte was asked for"
        there = url(case, "https" if isinstance(case.tls, Tls) else "http")
        remedy = command(f"homeport check {there}", "with HTTP/1.1")
        return Finding(Verdict.WRONG_PROTOCOL, Fault.CLIENT, cause, (*case.spoken.evidence, *evidence), (remedy,))
    if not case.wants_http:
        return None
    if failure.detail == TLS_ALERT:
        cause = f"{at(case)} answers plain text with an alert of TLS"
        scheme = {"ws": "wss", "grpc": "grpcs"}.get(case.scheme or "", "https")
        remedy = command(f"homeport check {url(case, scheme)}", "with TLS")
        return Finding(Verdict.TLS_EXPECTED, Fault.CLIENT, cause, evidence, (remedy,))
    cause = f"{owner(case.listener)} answers at {at(case)}, but not in HTTP: {failure.detail}"
    remedy = command(f"homeport check {at(case)}", "the same without a scheme")
    return Finding(Verdict.WRONG_PROTOCOL, Fault.CLIENT, cause, evidence, (remedy,), Confidence.LIKELY)


def service_error(case: Case) -> Finding | None:
    """The service answers in its own protocol that it cannot serve."""
    service = case.service
    error = dict(service.facts).get("access") if service is not None else None
    if service is None or error is None:
        return None
    cause = f"{service.product or service.protocol} at {at(case)} says: {error}"
    logs = command(f"homeport logs {case.port} --errors", "what it logged about it")
    remedies = [logs]
    if any(words in error for words in _FULL):
        remedies.insert(0, command(f"homeport ls --all {case.port}", "who holds its connections: a leak comes back"))
        remedies.append(edit("in the server: room for more (max_connections, maxclients)", "if all of them are meant"))
    return Finding(Verdict.SERVICE_ERROR, Fault.SERVER, cause, service.evidence, tuple(remedies))


def _heard(case: Case) -> bool:
    """Whether there was no connection, or something came back; a web server has to answer what was asked for, too."""
    if case.connected is None or case.exchanges or case.greeting:
        return True
    return case.spoken is not None and not (
        case.spoken.protocol == "http"
        and case.exchange_failure is not None
        and case.exchange_failure.failing in _SILENT
        and case.upgrade is None
        and case.health is None
    )


def ended(case: Case) -> Finding | None:
    """It took a connection, and the next one is refused: the server ended in between."""
    failure = case.exchange_failure
    if case.connected is None or case.exchanges or failure is None or failure.failing is not Failing.REFUSED:
        return None
    cause = f"{owner(case.listener)} took a connection to {at(case)}, and has ended since: the next one was refused"
    evidence = (Evidence("connect(2)", failure.detail), *case.said)
    return Finding(
        Verdict.NOTHING_LISTENS, Fault.SERVER, cause, evidence,
        (command(f"homeport logs {case.port}", "what it said before it ended"),
         command(f"homeport check {word(case.asked)} --watch", "whether it comes back")), Confidence.LIKELY,
    )  # fmt: skip


def closed_early(case: Case) -> Finding | None:
    """It takes the connection and ends it before it says anything."""
    if _heard(case) or case.as_localhost is not None:
        return None
    failure = case.exchange_failure
    ended = failure is not None and failure.failing in (Failing.RESET, Failing.CLOSED)
    if not case.closed_early and not ended:
        return None
    when = "at once" if case.closed_early else "when it is asked"
    cause = f"{owner(case.listener)} takes the connection to {at(case)} and closes it {when}, without a word"
    if failure is not None and failure.detail == MID_HEADER:
        cause = f"{owner(case.listener)} begins its answer at {at(case)}, and closes the connection in the middle of it"
    if case.spoken is not None:
        cause = f"{owner(case.listener)} answers at {at(case)}, but closes the connection on GET {shown(case.path)}"
    evidence = [Evidence("connection", "closed by the peer before any byte came")]
    if failure is not None and failure.detail == MID_HEADER:
        evidence = [Evidence("connection", failure.detail)]
    if case.listener is not None:
        evidence.append(socket_evidence(case.listener))
    remedies = [command(f"homeport logs {case.port}", "why it ends them: a crash, an allow list, another protocol")]
    if (behind := _named(case)) is not None:
        remedies.insert(0, command(f"homeport check {behind}", "its command line names that: whether it answers"))
    return Finding(Verdict.CLOSED_EARLY, Fault.SERVER, cause, (*evidence, *case.said), tuple(remedies))


_HERE = re.compile(r"(?<![\w.])(localhost|127(?:\.\d{1,3}){3}|\[::1\]):(\d{1,5})(?!\d)", re.ASCII)


def _named(case: Case) -> str | None:
    """Another address of this machine in the owner's command line: a forwarder passes connections on to it."""
    for one in case.listener.owners if case.listener is not None else ():
        for each in one.process.cmdline or ():
            for host, port in _HERE.findall(each[:_LONGEST_WORD]):
                if int(port) not in (0, case.port) and int(port) < 1 << 16:
                    return f"{host}:{port}"
    return None


def no_answer(case: Case) -> Finding | None:
    """It takes the connection, and then nothing comes."""
    if _heard(case) or (isinstance(case.tls, Tls) and case.spoken is None):
        return None
    failure = case.exchange_failure
    if failure is not None and failure.failing is not Failing.TIMED_OUT:
        return None
    cause = f"{owner(case.listener)} takes the connection to {at(case)}, and then says nothing"
    evidence = [Evidence("connection", "connected; no byte came, unasked or asked")]
    if case.spoken is not None:
        cause = f"{owner(case.listener)} answers at {at(case)}, but not within the time to GET {shown(case.path)}"
        evidence = [Evidence("connection", f"GET {shown(case.path)}: no byte came")]
    if case.queue is not None and case.queue.waiting:
        waiting = case.queue.waiting
        cause = f"{owner(case.listener)} does not accept connections to {at(case)}: {waiting} wait in the kernel"
        evidence.append(Evidence("sock_diag(7)", f"receive queue {waiting}, backlog {case.queue.backlog}"))
    remedies = [
        command(f"homeport logs {case.port}", "what it is busy with"),
        command(f"homeport ls --all {case.port}", "who else is connected, and waits"),
        command(f"homeport check {word(case.asked)} --timeout 30", "gives it more time"),
    ]
    if case.queue is not None and case.queue.waiting and case.listener is not None and case.listener.owners:
        pid = case.listener.owners[0].process.pid
        remedies.insert(2, command(f"kill {pid}", "ends it, if it hangs for good; then start it again"))
    if case.listener is not None and not case.listener.owners:
        remedies.insert(
            0, command(f"sudo homeport check {word(case.asked)}", "sees who holds it, and how that one is doing")
        )
    evidence += case.said
    return Finding(
        Verdict.NO_ANSWER, Fault.SERVER, cause, tuple(evidence), tuple(remedies), Confidence.LIKELY
    )  # fmt: skip


def ok(case: Case) -> Finding | None:
    """It answers as it should."""
    service = case.spoken
    if case.untouched is not None and case.listener is not None:
        cause = f"{owner(case.listener)} listens at {at(case)}; whether it answers was not tried: {case.untouched}"
        evidence = case.service.evidence if case.service is not None else (socket_evidence(case.listener),)
        return Finding(Verdict.OK, Fault.NOBODY, cause, evidence, (), Confidence.POSSIBLE)
    if case.connected is None and (case.protocol is Protocol.TCP or service is None):
        return _udp(case)
    if case.exchanges:
        last = case.exchanges[-1]
        cause = (
            f"{owner(case.listener)} answers at {at(case)}: {last.status} {last.reason}".rstrip()
            + f" to GET {shown(last.url)}"
        )
        return Finding(
            Verdict.OK, Fault.NOBODY, cause, (Evidence("HTTP response", f"{last.version} {last.status} {last.reason}"),)
        )
    if service is not None:
        name = " ".join(part for part in (service.product, service.version) if part)
        cause = f"{owner(case.listener)} answers at {at(case)} as {service.protocol}" + (f" ({name})" if name else "")
        return Finding(Verdict.OK, Fault.NOBODY, cause, service.evidence, (), service.confidence)
    failure = case.exchange_failure
    if case.scheme is None and failure is not None and failure.failing is Failing.NOT_HTTP:
        cause = f"{owner(case.listener)} answers at {at(case)}, in a protocol that is not known here"
        return Finding(
            Verdict.OK, Fault.NOBODY, cause, (Evidence("connection", failure.detail),), (), Confidence.POSSIBLE
        )
    if case.greeting:
        cause = f"{owner(case.listener)} answers at {at(case)}, in a protocol that is not known here"
        return Finding(
            Verdict.OK, Fault.NOBODY, cause, (Evidence("connection", f"{len(case.greeting)} bytes came"),), (),
            Confidence.LIKELY,
        )  # fmt: skip
    return None


def _udp(case: Case) -> Finding | None:
    """A datagram socket that nobody has to answer at: bound is all that can be seen."""
    if case.protocol is not Protocol.UDP or case.listener is None:
        return None
    cause = f"{owner(case.listener)} takes datagrams at {at(case)}; whether it answers them cannot be told"
    return Finding(Verdict.OK, Fault.NOBODY, cause, (socket_evidence(case.listener),), (), Confidence.POSSIBLE)


def unknown(case: Case) -> Finding:
    """Nothing of what is known explains it."""
    failed = next((one for one in case.attempts if one.failure is not None), None)
    cause = f"why {at(case)} does not answer cannot be told"
    evidence = []
    if failed is not None and failed.failure is not None and case.connected is None:
        cause += f": {owner(case.listener)} listens, and connecting ends with: {failed.failure.detail}"
        evidence.append(Evidence("connect(2)", failed.failure.detail))
    elif case.exchange_failure is not None:
        cause += f": {case.exchange_failure.detail}"
        evidence.append(Evidence("connection", case.exchange_failure.detail))
    remedies = [command(f"homeport {word(case.asked)}", "everything that is known about it")]
    if case.limits:
        remedies.insert(0, command(f"sudo homeport check {word(case.asked)}", "sees what was hidden this time"))
    return Finding(Verdict.UNKNOWN, Fault.UNKNOWN, cause, tuple(evidence), tuple(remedies), Confidence.POSSIBLE)
