"""QUIC: a packet of a version that is reserved for this is answered with the versions that the server knows.

Source: RFC 9000 §6 and §15, RFC 8999 §6: a server that speaks QUIC keeps no state for it.
"""

from __future__ import annotations

import struct

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, forgiving

_RESERVED = 0x1A2A3A4A
_TO, _FROM = b"homeport", b"hpclient"
_INITIAL = (struct.pack("!BIB", 0xC0, _RESERVED, len(_TO)) + _TO + bytes((len(_FROM),)) + _FROM + b"\0").ljust(
    1200, b"\0"
)
_NAMES = {1: "1", 0x6B3343CF: "2"}


def ask(conversation: Conversation) -> Match | None:
    """Ask for a version that nobody speaks."""
    conversation.send(_INITIAL)
    return _answer(conversation.receive())


@forgiving
def _answer(data: bytes) -> Match | None:
    first, version = struct.unpack_from("!BI", data)
    header = bytes((len(_FROM),)) + _FROM + bytes((len(_TO),)) + _TO
    versions = data[5 + len(header) :]
    if not first & 0x80 or version != 0 or data[5 : 5 + len(header)] != header or not versions or len(versions) % 4:
        return None
    found = [number for (number,) in struct.iter_unpack("!I", versions) if number & 0x0F0F0F0F != 0x0A0A0A0A]
    names = ", ".join(_NAMES.get(number, f"{number:#010x}") for number in found[:8])
    return Match("quic", None, None, f"it negotiates versions: {binary(data[:5])}", (("versions", names),))


SPEAKER = Speaker(
    "quic", ports=(443, 4433, 8443, 784, 853), programs=("caddy", "nginx"), transport=Protocol.UDP, ask=ask
)
