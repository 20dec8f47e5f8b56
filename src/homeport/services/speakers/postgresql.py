"""PostgreSQL's protocol, by its two questions that come before any login: SSLRequest and GSSENCRequest.

The server's version is told only after a login, or by the file and line in an error, which it would log as FATAL:
neither is worth it. PgBouncer, CockroachDB and others speak the same; the answer does not tell which it is. Closing
after `N` is not logged; after `S` a server that logs at its default level writes one line of level LOG.

Whether it takes sessions is told to a StartupMessage alone. `ready` sends one as pg_isready does, for a role that
cannot exist (CREATE ROLE refuses names that begin with `pg_`), so that nobody is logged in, and asks no further.

Source: PostgreSQL documentation, "Message Flow", "Message Formats", "Error and Notice Message Fields", "Error Codes".
"""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import exactly, text

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


_STARTUP = b"user\0pg_homeport\0database\0pg_homeport\0\0"
_CANNOT_YET, _TOO_MANY = "57P03", "53300"
_COMING_UP = ("starting up", "not yet accepting")


def ready(conversation: Conversation) -> tuple[str, str] | None:
    """Ask for a session that there cannot be: a server that takes none at all says that before it looks at the role."""
    conversation.send(struct.pack("!II", 8 + len(_STARTUP), 3 << 16) + _STARTUP)
    fields = _error(conversation.receive(_whole))
    code, message = fields.get("C"), fields.get("M", "")
    if code == _CANNOT_YET:
        return ("state", "starting") if any(words in message for words in _COMING_UP) else ("access", message)
    return ("access", message) if code == _TOO_MANY else None


def _whole(data: bytes) -> bool:
    return len(data) >= 5 and len(data) > struct.unpack("!I", data[1:5])[0]


def _error(data: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse by their letters; none where it is something else."""
    if not data.startswith(b"E"):
        return {}
    return {text(field[:1]): text(field[1:]) for field in data[5:].split(b"\0") if field}


SPEAKER = Speaker(
    "postgresql",
    ports=(5432, 5433, 6432, 26257),
    programs=("postgres", "postmaster", "pgbouncer", "cockroach", "postgresql"),
    ask=ask,
    ready=ready,
)
