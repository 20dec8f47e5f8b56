"""Kafka's protocol: ApiVersions (key 18) version 0, answered before any login. Redpanda and others speak it too.

Source: Kafka documentation, "Protocol guide".
"""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, forgiving, sized

_API_VERSIONS = 18
_CORRELATION = 0x68706B61
_BODY = struct.pack("!hhih", _API_VERSIONS, 0, _CORRELATION, 8) + b"homeport"
_REQUEST = struct.pack("!i", len(_BODY)) + _BODY
_MOST = 1 << 14


def ask(conversation: Conversation) -> Match | None:
    """Ask which requests it knows."""
    conversation.send(_REQUEST)
    return _answer(conversation.receive(sized(_size, 8)))


def _size(data: bytes) -> int | None:
    size, correlation = struct.unpack_from("!ii", data)
    return size + 4 if correlation == _CORRELATION and 0 < size <= _MOST else None


@forgiving
def _answer(data: bytes) -> Match | None:
    if _size(data) != len(data):
        return None
    error, count = struct.unpack_from("!hi", data, 8)
    keys = [struct.unpack_from("!hhh", data, 14 + 6 * index) for index in range(min(count, 1000))]
    if error != 0 or len(data) != 14 + 6 * count or _API_VERSIONS not in {key for key, _, _ in keys}:
        return None
    return Match("kafka", None, None, f"it answers ApiVersions with {count} requests that it knows: {binary(data)}")


SPEAKER = Speaker("kafka", ports=(9092, 9093, 9094, 29092), programs=("kafka*", "redpanda"), ask=ask)
