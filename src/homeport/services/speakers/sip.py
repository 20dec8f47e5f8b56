"""SIP (RFC 3261 §11): OPTIONS, which asks what a server can do and calls nobody."""

from __future__ import annotations

import re

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import named, quoted, text

_STATUS = re.compile(rb"\ASIP/2\.0 [1-6]\d\d [^\r\n]{0,200}\r\n")
_HEADER = re.compile(rb"(?im)^(?:Server|User-Agent): *([^\r\n]{1,120})")
_CALL = b"homeport-asks"
_PRODUCTS = (
    ("Asterisk", r"^Asterisk(?: PBX)?(?: (\d[\w.]*))?"),
    ("FreeSWITCH", r"^FreeSWITCH\S*?/?(\d[\w.]*)?"),
    ("Kamailio", r"(?i)^kamailio \((\d[\w.]*)"),
    ("OpenSIPS", r"(?i)^opensips \((\d[\w.]*)"),
)


def _request(via: bytes) -> bytes:
    return (
        b"OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/" + via + b" localhost;rport;branch=z9hG4bK-homeport\r\n"
        b"Max-Forwards: 1\r\nFrom: <sip:homeport@localhost>;tag=homeport\r\nTo: <sip:localhost>\r\n"
        b"Call-ID: " + _CALL + b"\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )


def ask(conversation: Conversation) -> Match | None:
    """Ask over UDP."""
    conversation.send(_request(b"UDP"))
    return _answer(conversation.receive())


def ask_by_tcp(conversation: Conversation) -> Match | None:
    """Ask over TCP."""
    conversation.send(_request(b"TCP"))
    return _answer(conversation.receive(lambda data: b"\r\n\r\n" in data or not b"SIP/2.0 ".startswith(data[:8])))


def _answer(data: bytes) -> Match | None:
    status = _STATUS.match(data)
    if not status or _CALL not in data:
        return None
    header = _HEADER.search(data)
    product, version = named(text(header[1]), _PRODUCTS) if header else (None, None)
    return Match("sip", product, version, f"it answers OPTIONS with {quoted(status[0])}")


_PROGRAMS = ("asterisk", "freeswitch", "kamailio", "opensips")
UDP = Speaker("sip", ports=(5060,), programs=_PROGRAMS, transport=Protocol.UDP, ask=ask, only_with_clue=True)
TCP = Speaker("sip", ports=(5060,), programs=_PROGRAMS, ask=ask_by_tcp, only_with_clue=True)
