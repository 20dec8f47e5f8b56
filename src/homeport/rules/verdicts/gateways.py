"""Servers that stand before others: what their own errors say about the one behind them."""

from __future__ import annotations

import re
from typing import NamedTuple

from homeport.model.case import Case
from homeport.model.diagnosis import Remedy
from homeport.model.evidence import Evidence
from homeport.rules.verdicts.kind import advice, command, word

STATUSES = frozenset((502, 503, 504))
UNAVAILABLE = 503
"""Service Unavailable (RFC 9110 §15.6.4): for some of them also that nobody behind them answers."""
_PRODUCTS = re.compile(
    r"nginx|openresty|haproxy|caddy|traefik|apache|httpd|envoy|varnish|squid|lighttpd", re.IGNORECASE
)
_SAYS_SO = re.compile(r"nginx|openresty", re.IGNORECASE)
"""Those that answer 503 where they are told to, or limit their clients, and 502 where nobody behind them answers."""
_LOGGED = (
    re.compile(r'upstream: "(?P<scheme>[a-z]+)://(?P<place>unix:[^:"]+|[^/"]+)'),  # nginx
    re.compile(r"attempt to connect to (?P<place>[^ ]+:\d+)"),  # Apache httpd
    re.compile(r"dial (?:tcp|unix) (?P<place>[^ ]+): "),  # Caddy, Traefik and others that are written in Go
)
"""How they log whom they could not reach."""
_REQUEST = re.compile(r'request: "[A-Z]+ ([^ "]+)')


class Behind(NamedTuple):
    """Who stands behind a gateway, and the line of its log that says so; `scheme`: how it is spoken to, where told."""

    place: str
    scheme: str | None
    evidence: Evidence


def gateway(case: Case) -> str | None:
    """What the server is called, where it is one of those that stand before others."""
    said = case.exchanges[-1].header("server") if case.exchanges else None
    product = case.service.product if case.service is not None else None
    holders = case.listener.owners if case.listener is not None else ()
    names = (said, product, *(one.process.name for one in holders))
    return next((one for one in names if one and _PRODUCTS.search(one)), None)


def behind(case: Case) -> Behind | None:
    """Whom it could not reach, by the newest line of its log that says that: about this request, where it tells."""
    path = case.exchanges[-1].url.partition("://")[2].partition("/")[2].partition("?")[0]
    for line in reversed(case.said):
        request = _REQUEST.search(line.text)
        if request is not None and request[1].partition("?")[0] != f"/{path}":
            continue
        for pattern in _LOGGED:
            if found := pattern.search(line.text):
                return Behind(found["place"], found.groupdict().get("scheme"), line)
    return None


def trouble(case: Case, name: str, status: int) -> tuple[str, tuple[Remedy, ...]]:
    """What a gateway's error means, and what to do first."""
    one = behind(case)
    if one is None and status == UNAVAILABLE and _SAYS_SO.search(name):
        why = f"{name} is told to say so, limits its clients, or passes on what the server behind it says"
        return why, (
            advice("look at its configuration (return 503, limit_req, limit_conn, proxy_pass)", "and its log"),
        )
    if one is None:
        why = f"{name} does not get an answer from the server behind it"
        return why, (advice("check the server behind it (proxy_pass, upstream …)", "the error is that one's"),)
    why = f"{name} does not get an answer from {one.place}, the server behind it"
    if one.place.startswith(("unix:", "/")):
        return why, (advice(f"start the server that makes {one.place.removeprefix('unix:')}", "or let it in"),)
    there = f"{one.scheme}://{one.place}/" if one.scheme in ("http", "https") else one.place
    return why, (command(f"homeport check {word(there)}", "what is wrong with the server behind it"),)
