"""IMAP (RFC 9051 §7.1): a server greets with `* OK`; where that names no IMAP, CAPABILITY settles it."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import named, quoted, text

_GREETING = re.compile(rb"\A\* (?:OK|PREAUTH|BYE)\b[^\r\n]*\r?\n")
_CERTAIN = re.compile(r"(?i)\bIMAP(?:4(?:rev\d)?)?\b")
_CAPABILITY = re.compile(rb"(?im)^\* CAPABILITY IMAP4[^\r\n]*")
_PRODUCTS = (
    ("Dovecot", r"\bDovecot\b"),
    ("Courier", r"\bCourier-IMAP\b"),
    ("Cyrus IMAP", r"\bCyrus IMAP(?:4)? v?(\d[\w.]*)"),
    ("Cyrus IMAP", r"\bCyrus IMAP\b"),
    ("GreenMail", r"\bGreenMail(?: v(\d[\w.]*\w))?"),
    ("Microsoft Exchange", r"\bMicrosoft Exchange IMAP4 service\b"),
    ("Proton Mail Bridge", r"\bProton Mail Bridge (\d[\w.]*)"),
    ("UW IMAP", r"\bIMAP4rev1 (20\d\d[\w.]*) at\b"),
)


def greeting(data: bytes) -> Match | None:
    """Recognise a greeting that names IMAP."""
    found = _GREETING.match(data)
    if not found or not _CERTAIN.search(text(found[0])):
        return None
    return _match(text(found[0]), text(found[0]), f"it greets with {quoted(found[0])}")


def reply(data: bytes, conversation: Conversation) -> Match | None:
    """After `* OK` without the word IMAP: ask what it can do."""
    if not _GREETING.match(data):
        return None
    conversation.send(b"h1 CAPABILITY\r\n")
    answer = conversation.receive(lambda read: re.search(rb"(?m)^h1 [^\r\n]*\r?\n", read) is not None)
    found = _CAPABILITY.search(answer)
    if not found:
        return None
    conversation.send(b"h2 LOGOUT\r\n")
    return _match(text(data), text(found[0]), f"it answers CAPABILITY with {quoted(found[0])}")


def _match(banner: str, capabilities: str, evidence: str) -> Match:
    product, version = named(banner, _PRODUCTS)
    words = capabilities.upper().replace("]", " ").split()
    facts = (("tls", "offered" if "STARTTLS" in words else "not offered"),) if "IMAP4REV1" in words else ()
    return Match("imap", product, version, evidence, facts)


SPEAKER = Speaker(
    "imap", ports=(143, 993, 1143), programs=("dovecot", "imapd", "cyrus-master"), greeting=greeting, reply=reply
)
