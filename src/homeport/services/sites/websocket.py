"""Servers that speak WebSocket alone (RFC 6455), by how they refuse a request without it."""

from __future__ import annotations

from homeport.services.kind import Answer, Match, Site
from homeport.services.sites.signs import clean


def recognise(answers: tuple[Answer, ...]) -> Match | None:
    """A refusal for want of an upgrade to WebSocket (RFC 9110, 15.5.22), or in the words of the usual libraries."""
    for answer in answers:
        upgrade = (answer.header("upgrade") or "").strip().lower()
        required = answer.status == 426 and upgrade == "websocket"
        offered = answer.status in (400, 426) and answer.header("sec-websocket-version") is not None
        worded = answer.status == 426 and answer.body == b"Upgrade Required"
        if required or offered or worded:
            quote = f"GET {answer.target}: {answer.status}, Upgrade: {upgrade or 'websocket'}" if not worded else ""
            return Match("websocket", None, None, clean(quote or f"GET {answer.target}: 426 Upgrade Required"))
    return None


SITE = Site("WebSocket server", recognise)
