"""FTP (RFC 959): a server greets with its name; a greeting that could be SMTP's is settled by FEAT (RFC 2389)."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import FTP, SMTP, last_line, named, quoted, text

_GREETING = re.compile(rb"\A(?:220|120|421|530)[ -]")
_PRODUCTS = (
    ("vsftpd", r"\bvsFTPd (\d[\w.]*)"),
    ("ProFTPD", r"\bProFTPD (?:Server )?\(?(\d[\w.]*)?"),
    ("Pure-FTPd", r"\bPure-FTPd\b"),
    ("pyftpdlib", r"\bpyftpdlib(?: based ftpd)?(?: (\d[\w.]*))?"),
    ("FileZilla Server", r"\bFileZilla Server(?: version)? (\d[\w.]*)"),
    ("Microsoft FTP", r"\bMicrosoft FTP Service\b"),
    ("Twisted FTP", r"\bTwisted (\d[\w.]*) FTP Server"),
    ("ftp-srv", r"\bftp-srv\b"),
    ("wu-ftpd", r"\bVersion wu-(\d[\w.]*)"),
    ("bftpd", r"\bbftpd (\d[\w.]*)"),
    ("Serv-U", r"\bServ-U FTP Server v(\d[\w.]*)"),
)


def greeting(data: bytes) -> Match | None:
    """Recognise a greeting that says that it is FTP's."""
    found = text(data)
    product, version = named(found, _PRODUCTS)
    if not _GREETING.match(data) or not (product or FTP.search(found)) or SMTP.search(found):
        return None
    return Match("ftp", product, version, f"it greets with {quoted(data)}")


def reply(data: bytes, conversation: Conversation) -> Match | None:
    """After a greeting that may be FTP's: FEAT, which SMTP does not know."""
    if not data.startswith((b"220 ", b"220-")):
        return None
    conversation.send(b"FEAT\r\n")
    answer = conversation.receive(_features)
    if not answer.startswith(b"211-") or not re.search(rb"(?m)^ ?(?:MDTM|SIZE|UTF8|EPSV|REST|MLS[DT]|AUTH)\b", answer):
        return None
    conversation.send(b"QUIT\r\n")
    product, version = named(text(data), _PRODUCTS)
    tls = re.search(rb"(?m)^ ?AUTH[ A-Z;-]*TLS", answer)
    return Match(
        "ftp",
        product,
        version,
        f"it answers FEAT with {quoted(answer)}",
        (("tls", "offered" if tls else "not offered"),),
    )


def _features(data: bytes) -> bool:
    return last_line(data) and (not data.startswith(b"211-") or re.search(rb"(?m)^211 ", data) is not None)


SPEAKER = Speaker(
    "ftp",
    ports=(21, 2121),
    programs=("vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "ftpd", "bftpd"),
    greeting=greeting,
    reply=reply,
)
