"""X11 (X Window System Protocol §8): a connection of a protocol version that does not exist is refused with a reason.

A right one would make a client, and a server whose last client leaves may start anew: so its vendor is not asked for.
"""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import forgiving, quoted, sized

_SETUP = struct.pack("<BxHHHHH", ord("l"), 99, 0, 0, 0, 0)
_FAILED = 0


def ask(conversation: Conversation) -> Match | None:
    """Ask for version 99."""
    conversation.send(_SETUP)
    return _answer(conversation.receive(sized(_size, 8)))


def _size(data: bytes) -> int | None:
    status, reason, major, _, units = struct.unpack_from("<BBHHH", data)
    return 8 + 4 * units if status == _FAILED and major == 11 and reason <= 4 * units else None


@forgiving
def _answer(data: bytes) -> Match | None:
    if _size(data) != len(data):
        return None
    _, size, major, minor, _ = struct.unpack_from("<BBHHH", data)
    reason = data[8 : 8 + size]
    if not reason.isascii():
        return None
    evidence = f"it refuses version 99 with {quoted(reason)}, and says that it speaks {major}.{minor}"
    return Match("x11", None, None, evidence, (("protocol version", f"{major}.{minor}"),))


SPEAKER = Speaker("x11", ports=tuple(range(6000, 6021)), programs=("xorg", "xvfb", "xwayland", "xvnc*", "x"), ask=ask)
