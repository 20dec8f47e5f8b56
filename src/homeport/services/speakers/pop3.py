"""POP3 (RFC 1939): a server greets with `+OK`; where that says no more, CAPA (RFC 2449) settles it."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import line, named, quoted, text

_GREETING = re.compile(rb"\A\+OK\b[^\r\n]*\r?\n")
_CERTAIN = re.compile(r"(?i)\bPOP3?\b|<[^<>@\s]+@[^<>\s]+>")
_CAPABILITIES = re.compile(rb"(?im)^(?:USER|UIDL|TOP|SASL\b[^\r\n]*|RESP-CODES|STLS)\r?$")
_PRODUCTS = (
    ("Dovecot", r"\bDovecot\b"),
    ("Cyrus IMAP", r"\bCyrus POP3 v?(\d[\w.]*)"),
    ("Cyrus IMAP", r"\bCyrus POP3\b"),
    ("GreenMail", r"\bGreenMail(?: v(\d[\w.]*\w))?"),
    ("Microsoft Exchange", r"\bMicrosoft Exchange POP3 service\b"),
)


def greeting(data: bytes) -> Match | None:
    """Recognise a greeting that names POP, or carries an APOP timestamp."""
    found = _GREETING.match(data)
    if not found or not _CERTAIN.search(text(found[0])):
        return None
    product, version = named(text(found[0]), _PRODUCTS)
    return Match("pop3", product, version, f"it greets with {quoted(found[0])}")


def reply(data: bytes, conversation: Conversation) -> Match | None:
    """After a bare `+OK`: ask what it can do."""
    if not _GREETING.match(data):
        return None
    conversation.send(b"CAPA\r\n")
    answer = conversation.receive(_whole)
    found = {text(word).strip().upper() for word in _CAPABILITIES.findall(answer)}
    if not answer.startswith(b"+OK") or len(found) < 2:
        return None
    conversation.send(b"QUIT\r\n")
    product, version = named(text(data), _PRODUCTS)
    tls = "offered" if "STLS" in found else "not offered"
    return Match("pop3", product, version, f"it answers CAPA with {', '.join(sorted(found))}", (("tls", tls),))


def _whole(data: bytes) -> bool:
    return line(data) and (not data.startswith(b"+OK") or data.endswith((b"\r\n.\r\n", b"\n.\n")))


SPEAKER = Speaker("pop3", ports=(110, 995), programs=("dovecot", "pop3d"), greeting=greeting, reply=reply)
