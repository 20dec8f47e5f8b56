"""Cassandra's native protocol (native_protocol_v4.spec): OPTIONS, answered with SUPPORTED before STARTUP."""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, binary, forgiving, sized, text

_STREAM = 0x6870
_OPTIONS = struct.pack("!BBHBI", 4, 0, _STREAM, 5, 0)
_SUPPORTED = 6
_MOST = 1 << 16


def ask(conversation: Conversation) -> Match | None:
    """Ask for the options."""
    conversation.send(_OPTIONS)
    return _supported(conversation.receive(sized(_size, 9)))


def _size(data: bytes) -> int | None:
    version, _, _, _, size = struct.unpack_from("!BBHBI", data)
    return 9 + size if version & 0x80 and size <= _MOST else None


@forgiving
def _supported(data: bytes) -> Match | None:
    version, _, stream, operation, size = struct.unpack_from("!BBHBI", data)
    if not 0x81 <= version <= 0x86 or stream != _STREAM or len(data) != 9 + size or operation != _SUPPORTED:
        return None
    body = Cursor(data, 9)
    found = {_string(body): [_string(body) for _ in range(body.number(2))] for _ in range(body.number(2))}
    if "CQL_VERSION" not in found:
        return None
    versions = found.get("PROTOCOL_VERSIONS", [])
    product = None
    if any(key.startswith("SCYLLA_") for key in found):
        product = "ScyllaDB"
    elif any("dse" in each for each in versions):
        product = "DataStax Enterprise"
    elif versions:
        product = "Cassandra"
    facts = (("cql version", ", ".join(found["CQL_VERSION"])),)
    return Match("cassandra", product, None, f"it answers OPTIONS with SUPPORTED: {binary(data)}", facts)


def _string(body: Cursor) -> str:
    return text(body.take(body.number(2)))


SPEAKER = Speaker("cassandra", ports=(9042, 9142), programs=("cassandra*", "scylla"), ask=ask)
