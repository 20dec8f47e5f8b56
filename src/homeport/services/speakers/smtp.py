"""SMTP (RFC 5321): a server greets with its name; a greeting that could be FTP's is settled by EHLO."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import FTP, SMTP, last_line, named, quoted, text

_GREETING = re.compile(rb"\A(?:220|421|554)[ -]")
_EHLO = b"EHLO localhost\r\n"
_PRODUCTS = (
    ("Postfix", r"\bPostfix\b(?: \(?(\d[\w.]*))?"),
    ("Exim", r"\bExim (\d[\w.]*)"),
    ("OpenSMTPD", r"\bOpenSMTPD\b"),
    ("Sendmail", r"\bSendmail (\d[\w.]*)"),
    ("aiosmtpd", r"\bPython SMTP (\d[\w.]*)"),
    ("smtpd (Python)", r"\bPython SMTP proxy version (\d[\w.]*)"),
    ("MailHog", r"\bMailHog\b"),
    ("Mailpit", r"\bMailpit\b"),
    ("maildev", r"\bmaildev\b"),
    ("GreenMail", r"\bGreenMail SMTP Service v(\d[\w.]*\w)"),
    ("FakeSMTP", r"\bSubEthaSMTP (\d[\w.]*)"),
    ("Microsoft Exchange", r"\bMicrosoft ESMTP MAIL Service\b(?:, Version: (\d[\w.]*))?"),
    ("Haraka", r"\bHaraka(?:/| )(\d[\w.]*)"),
    ("qmail", r"\bqmail\b"),
)


def greeting(data: bytes) -> Match | None:
    """Recognise a greeting that says that it is SMTP's."""
    found = text(data)
    if not _GREETING.match(data) or not SMTP.search(found) or FTP.search(found):
        return None
    product, version = named(found, _PRODUCTS)
    return Match("smtp", product, version, f"it greets with {quoted(data)}")


def reply(data: bytes, conversation: Conversation) -> Match | None:
    """After a greeting that may be SMTP's: EHLO, which only SMTP answers with 250."""
    if not _GREETING.match(data):
        return None
    conversation.send(_EHLO)
    answer = conversation.receive(last_line)
    if not re.match(rb"250[ -][^\r\n]*\r?\n", answer):
        return None
    conversation.send(b"QUIT\r\n")
    product, version = named(text(data), _PRODUCTS)
    words = {line[4:].split(" ")[0].upper() for line in text(answer).splitlines()[1:]}
    facts = [("tls", "offered" if "STARTTLS" in words else "not offered")]
    if "AUTH" in words:
        facts.append(("authentication", "offered"))
    return Match("smtp", product, version, f"it answers EHLO with {quoted(answer)}", tuple(facts))


SPEAKER = Speaker(
    "smtp",
    ports=(25, 587, 1025, 2525, 465),
    programs=("master", "exim*", "smtpd", "sendmail*", "aiosmtpd", "mailhog", "mailpit", "postfix", "opensmtpd"),
    greeting=greeting,
    reply=reply,
)
