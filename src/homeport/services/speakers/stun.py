"""STUN (RFC 8489): a binding request; the answer may name its software (§14.14)."""

from __future__ import annotations

import struct

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, binary, forgiving, named, sized, text

_COOKIE = 0x2112A442
_TRANSACTION = b"homeport-hel"
_REQUEST = struct.pack("!HHI", 0x0001, 0, _COOKIE) + _TRANSACTION
_RESPONSES = (0x0101, 0x0111)
_SOFTWARE = 0x8022
_PRODUCTS = (("coturn", r"^Coturn-(\d[\w.]*)"), ("pion", r"(?i)^pion"), ("eturnal", r"^eturnal(?: (\d[\w.]*))?"))


def ask(conversation: Conversation) -> Match | None:
    """Ask for the address that we are seen from."""
    conversation.send(_REQUEST)
    return _answer(conversation.receive())


def ask_by_tcp(conversation: Conversation) -> Match | None:
    """The same over TCP (§6.2.2)."""
    conversation.send(_REQUEST)
    return _answer(conversation.receive(sized(_size, 8)))


def _size(data: bytes) -> int | None:
    kind, size, cookie = struct.unpack_from("!HHI", data)
    return 20 + size if kind in _RESPONSES and cookie == _COOKIE and size < 1500 else None


@forgiving
def _answer(data: bytes) -> Match | None:
    kind, size, cookie = struct.unpack_from("!HHI", data)
    if kind not in _RESPONSES or cookie != _COOKIE or data[8:20] != _TRANSACTION or len(data) != 20 + size:
        return None
    attributes, software = Cursor(data, 20), ""
    while attributes.left:
        name, length = attributes.number(2), attributes.number(2)
        value = attributes.take(length)
        attributes.take(min(-length % 4, attributes.left))
        software = text(value) if name == _SOFTWARE else software
    product, version = named(software, _PRODUCTS)
    return Match("stun", product, version, f"it answers a binding request with {binary(data)}")


_PROGRAMS = ("turnserver", "eturnal")
UDP = Speaker("stun", ports=(3478, 5349), programs=_PROGRAMS, transport=Protocol.UDP, ask=ask)
TCP = Speaker("stun", ports=(3478, 5349), programs=_PROGRAMS, ask=ask_by_tcp, only_with_clue=True)
