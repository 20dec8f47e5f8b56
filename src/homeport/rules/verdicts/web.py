"""Verdicts about HTTP."""

from __future__ import annotations

import shlex
from urllib.parse import urljoin

from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence, Evidence
from homeport.model.http import Exchange, Redirect
from homeport.rules.proxies import through_proxy
from homeport.rules.verdicts import gateways
from homeport.rules.verdicts.hosts import refuses
from homeport.rules.verdicts.kind import Finding, advice, at, command, edit, owner, shown, url, word

_HOST_STATUSES = frozenset((400, 403, 421))
_LIVING = frozenset((400, 401, 403, 404, 405, 406, 426))
"""Statuses with which a server that is well says that there is nothing at `/`, or not for everybody."""


def host_refused(case: Case) -> Finding | None:
    """The server does not want to be called by that name."""
    if not case.exchanges:
        return _hung_up(case)
    last = case.exchanges[-1]
    host = case.wish.host or case.name or str(case.address)
    known = refuses(last.status, last.text)
    other = case.as_localhost
    relieved = last.status in _HOST_STATUSES and other is not None and other.status not in _HOST_STATUSES
    if known is None and not relieved:
        return None
    said = Evidence("HTTP response", f"{last.status} {last.reason}: {_first_line(last)}")
    evidence = [said]
    if other is not None:
        evidence.append(Evidence("HTTP response", f"{other.status} {other.reason} with Host: localhost"))
    remedies: list[Remedy] = []
    if known is not None:
        remedies.append(edit(known.edit.format(host=host), f"{known.server} then answers to {host}"))
    if relieved or host not in ("localhost", "127.0.0.1"):
        remedies.append(command(f"homeport check {url(case, 'http', 'localhost')}", "a name that it knows"))
    who = known.server if known is not None else owner(case.listener)
    cause = f"{who} refuses the Host {host}: it answers {last.status}"
    return Finding(
        Verdict.HOST_REFUSED, Fault.SERVER, cause, tuple(evidence), tuple(remedies),
        Confidence.CERTAIN if known is not None else Confidence.LIKELY,
    )  # fmt: skip


def _hung_up(case: Case) -> Finding | None:
    """A Host that it does not know has no answer at all, as nginx's `return 444` makes it."""
    other = case.as_localhost
    if other is None:
        return None
    host = case.wish.host or case.name or str(case.address)
    cause = f"{owner(case.listener)} refuses the Host {host}: it closes the connection without an answer"
    evidence = (
        Evidence("connection", f"closed by the peer after a request with Host: {host}"),
        Evidence("HTTP response", f"{other.status} {other.reason} with Host: localhost"),
    )
    known = command(f"homeport check {url(case, other.url.partition(':')[0], 'localhost')}", "a name that it knows")
    told = edit(f"in the server: {host} among its names (server_name of nginx)", f"it then answers to {host}")
    return Finding(Verdict.HOST_REFUSED, Fault.SERVER, cause, evidence, (known, told), Confidence.LIKELY)


def redirect_loop(case: Case) -> Finding | None:
    """The server sends its clients in a circle."""
    last = case.exchanges[-1] if case.exchanges else None
    if last is None or last.redirect not in (Redirect.LOOP, Redirect.TOO_MANY):
        return None
    to = shown(last.location or "")
    hops = " → ".join(dict.fromkeys(shown(one.url) for one in case.exchanges[-4:]))
    cause = f"{at(case)} redirects in a circle: {hops} → {to}"
    if last.redirect is Redirect.TOO_MANY:
        cause = f"{at(case)} redirects without end, {len(case.exchanges)} times so far: {hops} → {to}"
    advise = advice("look at what the server takes for the right scheme, host and path", _loop_hint(case))
    logs = command(f"homeport logs {case.port}", "what it says about these requests")
    return Finding(Verdict.REDIRECT_LOOP, Fault.SERVER, cause, _trail(case), (advise, logs))


def _loop_hint(case: Case) -> str:
    if any((one.location or "").startswith("https:") and one.url.startswith("http:") for one in case.exchanges):
        return "behind a proxy that ends TLS it must trust X-Forwarded-Proto, or it sends every request to https again"
    return "a rule for a trailing slash, a login page or a language that leads to itself is the usual reason"


def redirect_elsewhere(case: Case) -> Finding | None:
    """The server sends its clients to another machine, or to what is left alone here."""
    last = case.exchanges[-1] if case.exchanges else None
    if last is None or last.redirect not in (Redirect.ELSEWHERE, Redirect.UNTOUCHED, Redirect.UNREADABLE):
        return None
    to = shown(last.location or "")
    cause = f"{at(case)} redirects to {to}, which is not this machine: it was not followed"
    if last.redirect is Redirect.UNTOUCHED:
        cause = f"{at(case)} redirects to {to}, which was not followed: {last.untouched}"
    if last.redirect is Redirect.UNREADABLE:
        cause = f"{at(case)} redirects to {to}, where no client can go"
    remedies = (
        edit(
            f"in the server: its own URL (base URL, site URL, server_name) as http://{at(case)}", "if it means itself"
        ),
        advice("check there on its own machine", "if the redirect is meant"),
    )
    if last.redirect is Redirect.UNTOUCHED:
        there = urljoin(last.url, last.location or "").partition("?")[0]
        remedies = (
            remedies[0],
            command(f"homeport check {word(shown(there))}", "what is there, if the redirect is meant"),
        )
    return Finding(Verdict.REDIRECT_ELSEWHERE, Fault.SERVER, cause, _trail(case), remedies)


_ENDS = {
    Failing.REFUSED: (Verdict.NOTHING_LISTENS, "where nothing listens"),
    Failing.TIMED_OUT: (Verdict.NO_ANSWER, "where no answer comes"),
    Failing.CLOSED: (Verdict.CLOSED_EARLY, "where the connection is closed without an answer"),
    Failing.RESET: (Verdict.CLOSED_EARLY, "where the connection is closed without an answer"),
    Failing.NOT_TLS: (Verdict.PLAIN_EXPECTED, "where no TLS is spoken"),
    Failing.ALERT: (Verdict.TLS_FAILED, "where the TLS handshake fails"),
    Failing.NOT_HTTP: (Verdict.WRONG_PROTOCOL, "where no HTTP is spoken"),
    Failing.ONLY_HTTP2: (Verdict.HTTP2_ONLY, "where HTTP/2 alone is spoken"),
}
"""What it is, where a redirection on this machine has no answer."""


def redirect_astray(case: Case) -> Finding | None:
    """The server sends its clients to a place of this machine that does not answer them."""
    last, failure = case.exchanges[-1] if case.exchanges else None, case.exchange_failure
    if last is None or last.redirect is not Redirect.HERE or last.location is None or failure is None:
        return None
    if failure.failing not in _ENDS:
        return None
    verdict, where = _ENDS[failure.failing]
    to = urljoin(last.url, last.location).partition("?")[0]
    cause = f"{at(case)} redirects to {shown(last.location)}, {where}: {failure.detail}"
    remedies = (
        command(f"homeport check {word(shown(to))}", "what is wrong there"),
        edit("in the server: its own URL (base URL, site URL) or where this path leads to", "if it means itself"),
    )
    return Finding(verdict, Fault.SERVER, cause, (*_trail(case), Evidence("connection", failure.detail)), remedies)


def http_error(case: Case) -> Finding | None:
    """The answer is an error of the client or of the server (RFC 9110 §15.5 and §15.6)."""
    last = case.exchanges[-1] if case.exchanges else None
    if last is None or last.status < 400 or (case.path_is_default and last.status in _LIVING):
        return None
    logs = command(f"homeport logs {case.port} --errors", "what the server says about it")
    remedies: list[Remedy] = [logs]
    fault = Fault.SERVER
    cause = f"{at(case)} answers {last.status} {last.reason}".rstrip() + f" to GET {shown(last.url)}"
    name = gateways.gateway(case) if last.status in gateways.STATUSES else None
    if name is not None:
        why, first = gateways.trouble(case, name, last.status)
        cause += f": {why}"
        remedies = [*first, *remedies]
    elif last.status == 401:
        fault, remedies = (
            Fault.CLIENT,
            [advice("send credentials", f"it wants {last.header('www-authenticate') or 'a login'}")],
        )
    elif last.status < 500:
        fault = Fault.CLIENT
        remedies.insert(0, advice("look at the path and method that were asked for", "the server itself answers"))
    said = (Evidence("HTTP response", f"{last.status} {last.reason}: {_first_line(last)}"), *case.said)
    return Finding(Verdict.HTTP_ERROR, fault, cause, said, tuple(remedies))


def broken_off(case: Case) -> Finding | None:
    """The answer begins, and its body does not come to the end that it announced."""
    last = case.exchanges[-1] if case.exchanges else None
    if last is None or last.broken is None:
        return None
    verdict, how = Verdict.CLOSED_EARLY, "closes the connection in the middle of the answer"
    if last.broken is Failing.TIMED_OUT:
        verdict, how = Verdict.NO_ANSWER, "then says nothing more in the middle of the answer"
    size = last.header("content-length")
    announced = f" of {size} bytes" if size else ""
    cause = f"{owner(case.listener)} answers {last.status} to GET {shown(last.url)}{announced}, and {how}"
    evidence = (Evidence("HTTP response", f"{last.version} {last.status}, its body is not whole"), *case.said)
    logs = command(
        f"homeport logs {case.port} --errors", "why it ends: a crash, a wrong Content-Length, a proxy's limit"
    )
    return Finding(verdict, Fault.SERVER, cause, evidence, (logs,), Confidence.LIKELY)


def proxy_in_the_way(case: Case) -> Finding | None:
    """The direct way works, but the environment sends clients to a proxy, for which this address is another one."""
    if not case.exchanges or case.exchanges[-1].status >= 500:
        return None
    found = through_proxy(case.exchanges[0].url, case.environment)
    if not found:
        return None
    clients = ", ".join(one.client for one in found)
    one = found[0]
    host = case.name or str(case.address)
    cause = f"{at(case)} answers, but {one.variable} sends {clients} to the proxy {one.proxy} instead"
    spared = {name: case.environment[name] for name in ("no_proxy", "NO_PROXY") if case.environment.get(name)}
    evidence = [Evidence("environment", f"{one.variable}={one.proxy}")]
    evidence += [Evidence("environment", f"{name}={value}") for name, value in spared.items()]
    words = [word.strip() for value in spared.values() for word in value.split(",")]
    value = shlex.quote(",".join(dict.fromkeys(word for word in (*words, host) if word)))
    remedy = command(f"export NO_PROXY={value} no_proxy={value}", "local calls then go directly")
    if "*" in words:  # it means all, but only where it stands alone
        remedy = command(f"unset {' '.join(dict.fromkeys(each.variable for each in found))}", "no call needs it")
    direct = command(f"curl --noproxy '*' {word(shown(case.exchanges[0].url))}", "one call without the proxy")
    return Finding(Verdict.PROXY_IN_THE_WAY, Fault.CLIENT, cause, tuple(evidence), (remedy, direct))


def _trail(case: Case) -> tuple[Evidence, ...]:
    return tuple(
        Evidence("HTTP response", f"{shown(one.url)}: {one.status}, Location: {shown(one.location)}")
        for one in case.exchanges[-4:]
        if one.location is not None
    )


def _first_line(one: Exchange) -> str:
    text = " ".join(one.text.split())
    return text[:120] + ("…" if len(text) > 120 else "")
