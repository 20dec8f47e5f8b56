"""Java's RMI, which JMX and registries use (Java RMI specification §10.2): the header of the stream protocol."""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, forgiving, sized

_HEADER = b"JRMI\0\x02K"
_ACKNOWLEDGED = 0x4E


def ask(conversation: Conversation) -> Match | None:
    """Say the header."""
    conversation.send(_HEADER)
    return _answer(conversation.receive(sized(_size, 3)))


def _size(data: bytes) -> int | None:
    kind, size = struct.unpack_from("!BH", data)
    return 3 + size + 4 if kind == _ACKNOWLEDGED and 0 < size < 256 else None


@forgiving
def _answer(data: bytes) -> Match | None:
    if _size(data) != len(data):
        return None
    host, (port,) = data[3:-4].decode("ascii"), struct.unpack("!I", data[-4:])
    if port > 65535 or not host.isprintable():
        return None
    return Match("rmi", "Java RMI", None, f"it acknowledges, and sees us as {host}: {binary(data)}")


SPEAKER = Speaker("rmi", ports=(1099, 1098, 9010), programs=("rmiregistry",), ask=ask)
