"""RDP: a connection request that offers TLS and CredSSP ([MS-RDPBCGR] 2.2.1.1), confirmed with what is taken
(2.2.1.2).
"""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, forgiving, sized

_NEGOTIATION = struct.pack("<BBHI", 1, 0, 8, 0b1011)
_REQUEST = struct.pack("!BBHBBHHB", 3, 0, 19, 14, 0xE0, 0, 0, 0) + _NEGOTIATION
_CONFIRM = 0xD0
_RESPONSE, _FAILURE = 2, 3
_PROTOCOLS = {0: "RDP", 1: "TLS", 2: "CredSSP", 4: "RDSTLS", 8: "CredSSP with early authorisation"}
_FAILURES = {
    1: "TLS",
    2: "no TLS",
    3: "no certificate",
    4: "inconsistent flags",
    5: "CredSSP",
    6: "TLS with a certificate",
}


def ask(conversation: Conversation) -> Match | None:
    """Ask for a connection."""
    conversation.send(_REQUEST)
    return _answer(conversation.receive(sized(_size, 4)))


def _size(data: bytes) -> int | None:
    version, reserved, size = struct.unpack_from("!BBH", data)
    return size if (version, reserved) == (3, 0) and 11 <= size <= 64 else None


@forgiving
def _answer(data: bytes) -> Match | None:
    if _size(data) != len(data) or data[5] != _CONFIRM:
        return None
    kind, _, size, value = struct.unpack_from("<BBHI", data, 11)
    if size != 8:
        return None
    security = _PROTOCOLS.get(value) if kind == _RESPONSE else _FAILURES.get(value) if kind == _FAILURE else None
    if security is None:
        return None
    return Match("rdp", None, None, f"it confirms the connection with {binary(data)}", (("security", security),))


SPEAKER = Speaker("rdp", ports=(3389,), programs=("xrdp", "gnome-remote-desktop*", "krdp*"), ask=ask)
