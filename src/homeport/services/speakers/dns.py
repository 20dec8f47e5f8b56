"""DNS over UDP and TCP (RFC 1035): `version.bind` of class CHAOS, which many servers answer with their version.

Any answer to that very question proves DNS, a refusal too. BIND alone answers with a bare number.
"""

from __future__ import annotations

import struct

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, forgiving, named, quoted, sized, text

_IDENTIFIER = 0x6870
_TXT, _CHAOS = 16, 3
_QUESTION = b"\x07version\x04bind\0" + struct.pack("!HH", _TXT, _CHAOS)
_QUERY = struct.pack("!HHHHHH", _IDENTIFIER, 0x0100, 1, 0, 0, 0) + _QUESTION
_RESPONSE, _OPCODE, _RECURSION = 0x8000, 0x7800, 0x0080
_CODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_PRODUCTS = (
    ("dnsmasq", r"^dnsmasq-(?:pi-hole-)?v?(\d[\w.]*)"),
    ("Unbound", r"^unbound (\d[\w.]*)"),
    ("CoreDNS", r"^CoreDNS-(\d[\w.]*)"),
    ("PowerDNS Authoritative Server", r"^PowerDNS Authoritative Server (\d[\w.]*)"),
    ("PowerDNS Recursor", r"^PowerDNS Recursor (\d[\w.]*)"),
    ("Knot DNS", r"^Knot DNS (\d[\w.]*)"),
    ("Knot Resolver", r"^Knot Resolver (\d[\w.]*)"),
    ("NSD", r"^NSD (\d[\w.]*)"),
    ("dnsdist", r"^dnsdist (\d[\w.]*)"),
    ("Microsoft DNS", r"^Microsoft DNS (\d[\w.]*)"),
    ("BIND", r"^(?:BIND )?(9\.\d+\.\d+)"),
)


def ask(conversation: Conversation) -> Match | None:
    """Ask over UDP."""
    conversation.send(_QUERY)
    return _answer(conversation.receive())


def ask_by_tcp(conversation: Conversation) -> Match | None:
    """Ask over TCP, where each message is preceded by its length (RFC 1035 §4.2.2)."""
    conversation.send(struct.pack("!H", len(_QUERY)) + _QUERY)
    answer = conversation.receive(sized(_size, 4))
    return _answer(answer[2:]) if len(answer) > 2 and len(answer) == _size(answer) else None


def _size(data: bytes) -> int | None:
    size, identifier = struct.unpack_from("!HH", data.ljust(4, b"\0"))
    return size + 2 if identifier == _IDENTIFIER else None


@forgiving
def _answer(data: bytes) -> Match | None:
    identifier, flags, questions, answers, _, _ = struct.unpack_from("!HHHHHH", data)
    code = flags & 0xF
    if identifier != _IDENTIFIER or not flags & _RESPONSE or flags & _OPCODE or code >= len(_CODES):
        return None
    body = Cursor(data, 12)
    if (questions == 1 and body.take(len(_QUESTION)).lower() != _QUESTION) or questions > 1:
        return None
    if not questions and (code == 0 or len(data) != 12):
        return None
    told = _text(body) if answers and not code else None
    product, version = named(told, _PRODUCTS) if told else (None, None)
    evidence = f"it answers version.bind with {quoted(told.encode()) if told else _CODES[code]}"
    facts = [("recursion", "offered" if flags & _RECURSION else "not offered")]
    if told and product is None:
        facts.append(("version.bind", told[:120]))
    return Match("dns", product, version, evidence, tuple(facts))


@forgiving
def _text(body: Cursor) -> str | None:
    """The first text of the first answer."""
    if body.data[body.at] & 0xC0 == 0xC0:
        body.take(2)
    else:
        while size := body.number(1):
            body.take(size)
    kind, _, _, size = struct.unpack("!HHIH", body.take(10))
    record = Cursor(body.take(size))
    return text(record.take(record.number(1))) if kind == _TXT else None


_PROGRAMS = ("named", "dnsmasq", "unbound", "coredns", "systemd-resolved", "pdns*", "kresd", "knotd", "pihole-ftl")

UDP = Speaker("dns", ports=(53, 5353, 5354, 1053, 8600), programs=_PROGRAMS, transport=Protocol.UDP, ask=ask)
TCP = Speaker("dns", ports=(53, 5354, 1053, 8600), programs=_PROGRAMS, ask=ask_by_tcp)
