"""PostgreSQL's protocol, by its two questions that come before any login: SSLRequest and GSSENCRequest.

The server's version is told only after a login, or by the file and line in an error, which it would log as FATAL:
neither is worth it. PgBouncer, CockroachDB and others speak the same; the answer does not tell which it is. Closing
after `N` is not logged; after `S` a server that logs at its default level writes one line of level LOG.

Source: PostgreSQL documentation, "Message Flow" and "Message Formats".
"""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import exactly

_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_GSS_REQUEST = struct.pack("!II", 8, 80877104)


def ask(conversation: Conversation) -> Match | None:
    """Ask for TLS; where that is refused, for GSS encryption as well, so that one letter is not the whole proof."""
    conversation.send(_SSL_REQUEST)
    answer = conversation.receive(exactly(1))
    if answer == b"S":
        return _match("S", "offered")
    if answer != b"N":
        return None
    conversation.send(_GSS_REQUEST)
    second = conversation.receive(exactly(1))
    if second in (b"N", b"G"):
        return _match(f"N, and GSSENCRequest with {second.decode()}", "not offered")
    return _match("N", "not offered") if second.startswith(b"E\0\0") else None


def _match(answer: str, tls: str) -> Match:
    return Match("postgresql", None, None, f"it answers SSLRequest with {answer}", (("tls", tls),))


SPEAKER = Speaker(
    "postgresql",
    ports=(5432, 5433, 6432, 26257),
    programs=("postgres", "postmaster", "pgbouncer", "cockroach", "postgresql"),
    ask=ask,
)
