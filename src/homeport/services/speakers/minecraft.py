"""Minecraft (Java edition): the status that its list of servers shows (wiki.vg, "Server List Ping")."""

from __future__ import annotations

import json
import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, forgiving

_HANDSHAKE = b"\x00\x00\x09localhost\x63\xdd\x01"
_REQUEST = bytes((len(_HANDSHAKE),)) + _HANDSHAKE + b"\x01\x00"
_MOST = 1 << 17


def ask(conversation: Conversation) -> Match | None:
    """Ask for the status."""
    conversation.send(_REQUEST)
    return _answer(conversation.receive(_whole))


def _whole(data: bytes) -> bool:
    if len(data) < 6:
        return False
    cursor = Cursor(data)
    size = _number(cursor)
    return size is None or not 0 < size < _MOST or cursor.left >= size or cursor.number(1) != 0


@forgiving
def _answer(data: bytes) -> Match | None:
    cursor = Cursor(data)
    size, packet, length = _number(cursor), _number(cursor), _number(cursor)
    if packet != 0 or length is None or size is None or length > cursor.left:
        return None
    status = json.loads(cursor.take(length))
    version = status["version"]["name"]
    if not isinstance(version, str) or not isinstance(status["version"]["protocol"], int) or "players" not in status:
        return None
    told = re.search(r"\d+\.\d[\w.]*", version[:80])
    return Match("minecraft", "Minecraft", told[0] if told else None, f'it tells its status, version "{version[:80]}"')


def _number(cursor: Cursor) -> int | None:
    """A VarInt of up to 5 bytes; None: longer than that."""
    value = 0
    for index in range(5):
        byte = cursor.number(1)
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value
    return None


SPEAKER = Speaker("minecraft", ports=(25565,), programs=("*minecraft*", "paper*.jar"), ask=ask, only_with_clue=True)
