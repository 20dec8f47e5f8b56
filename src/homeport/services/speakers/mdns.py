"""mDNS (RFC 6762): which services there are, asked of one responder alone, which is to answer to us alone (§5.4,
§6.7).
"""

from __future__ import annotations

import struct

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, forgiving, text

_IDENTIFIER = 0x6870
_PTR, _IN, _UNICAST = 12, 1, 0x8000
_NAME = b"\x09_services\x07_dns-sd\x04_udp\x05local\0"
_QUERY = struct.pack("!HHHHHH", _IDENTIFIER, 0, 1, 0, 0, 0) + _NAME + struct.pack("!HH", _PTR, _IN | _UNICAST)
_RESPONSE, _AUTHORITATIVE, _CODE = 0x8000, 0x0400, 0x000F
_MOST_NAMES = 32


def ask(conversation: Conversation) -> Match | None:
    """Ask which services are announced."""
    conversation.send(_QUERY)
    return _answer(conversation.receive())


@forgiving
def _answer(data: bytes) -> Match | None:
    identifier, flags, questions, answers, _, _ = struct.unpack_from("!HHHHHH", data)
    if identifier not in (0, _IDENTIFIER) or not flags & _RESPONSE or not flags & _AUTHORITATIVE or flags & _CODE:
        return None
    if questions > 1 or not 0 < answers <= _MOST_NAMES:
        return None
    body = Cursor(data, 12)
    if questions:
        _name(body)
        body.take(4)
    found = []
    for _ in range(answers):
        name = _name(body)
        kind, _, _, size = struct.unpack("!HHIH", body.take(10))
        end = body.at + size
        if kind == _PTR and name.lower() == "_services._dns-sd._udp.local":
            found.append(_name(body))
        body.at = end
    if not found:
        return None
    return Match("mdns", None, None, "it answers which services there are", (("services", ", ".join(found)),))


def _name(body: Cursor) -> str:
    """A name (RFC 1035 §4.1.4)."""
    labels, back = [], None
    for _ in range(128):
        size = body.number(1)
        if size & 0xC0 == 0xC0:
            target = (size & 0x3F) << 8 | body.number(1)
            back = body.at if back is None else back
            body.at = target
        elif size:
            labels.append(text(body.take(size)))
        else:
            body.at = body.at if back is None else back
            return ".".join(labels)
    raise ValueError("a name without end")


SPEAKER = Speaker(
    "mdns",
    ports=(5353,),
    programs=("avahi-daemon", "mdnsd", "mdnsresponder"),
    transport=Protocol.UDP,
    ask=ask,
    only_with_clue=True,
)
