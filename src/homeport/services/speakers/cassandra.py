"""Cassandra's native protocol (native_protocol_v4.spec): OPTIONS, answered with SUPPORTED, and STARTUP.

STARTUP begins a connection and is no login: a server that demands one answers with AUTHENTICATE, and that is the end
of it. One that does not is asked for its version, which stands in the table `system.local`.
"""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, binary, forgiving, sized, text

_STREAM = 0x6870
_STARTUP, _READY, _AUTHENTICATE, _OPTIONS, _SUPPORTED, _QUERY, _RESULT = 1, 2, 3, 5, 6, 7, 8
_ROWS, _GLOBAL_TABLES, _ONE = 2, 1, 1
_MOST = 1 << 16
_STATEMENT = b"SELECT release_version FROM system.local"
_QUESTION = struct.pack("!I", len(_STATEMENT)) + _STATEMENT + struct.pack("!HB", _ONE, 0)


def ask(conversation: Conversation) -> Match | None:
    """Ask for the options, and begin."""
    supported = _call(conversation, _OPTIONS, b"")
    options = _options(supported[1]) if supported and supported[0] == _SUPPORTED else None
    if not supported or not options or "CQL_VERSION" not in options:
        return None
    product = _product(options)
    facts = [("cql version", ", ".join(options["CQL_VERSION"]))]
    version = None
    begun = _call(conversation, _STARTUP, _map("CQL_VERSION", options["CQL_VERSION"][0]))
    if begun and begun[0] in (_READY, _AUTHENTICATE):
        facts.append(("authentication", "demanded" if begun[0] == _AUTHENTICATE else "not demanded"))
    if begun and begun[0] == _READY and product == "Cassandra":
        rows = _call(
            conversation, _QUERY, struct.pack("!I", len(_STATEMENT)) + _STATEMENT + struct.pack("!HB", _ONE, 0)
        )
        version = _value(rows[1]) if rows and rows[0] == _RESULT else None
    evidence = f"it answers OPTIONS with SUPPORTED: {binary(supported[1])}"
    return Match("cassandra", product, version, evidence, tuple(facts))


def _product(options: dict[str, list[str]]) -> str | None:
    versions = options.get("PROTOCOL_VERSIONS", [])
    if any(key.startswith("SCYLLA_") for key in options):
        return "ScyllaDB"
    if any("dse" in each for each in versions):
        return "DataStax Enterprise"
    return "Cassandra" if versions else None


def _call(conversation: Conversation, operation: int, body: bytes) -> tuple[int, bytes] | None:
    """Operation and body of the answer."""
    conversation.send(struct.pack("!BBHBI", 4, 0, _STREAM, operation, len(body)) + body)
    data = conversation.receive(sized(_size, 9))
    if len(data) < 9 or _size(data) != len(data):
        return None
    version, _, stream, answer, _ = struct.unpack_from("!BBHBI", data)
    return (answer, data[9:]) if 0x81 <= version <= 0x86 and stream == _STREAM else None


def _size(data: bytes) -> int | None:
    version, _, _, _, size = struct.unpack_from("!BBHBI", data)
    return 9 + size if version & 0x80 and size <= _MOST else None


@forgiving
def _options(data: bytes) -> dict[str, list[str]]:
    """A string multimap (§3)."""
    body = Cursor(data)
    return {_string(body): [_string(body) for _ in range(body.number(2))] for _ in range(body.number(2))}


@forgiving
def _value(data: bytes) -> str | None:
    """The only value of the rows (§4.2.5.2)."""
    body = Cursor(data)
    kind, flags, columns = body.number(4), body.number(4), body.number(4)
    if kind != _ROWS or columns != 1:
        return None
    for _ in range(3 if flags & _GLOBAL_TABLES else 0):  # keyspace and table of all columns, name of the first
        _string(body)
    if not flags & _GLOBAL_TABLES or body.number(2) not in (0x01, 0x0A, 0x0D) or body.number(4) != 1:
        return None
    return body.take(body.number(4)).decode("ascii")[:40]


def _string(body: Cursor) -> str:
    return text(body.take(body.number(2)))


def _map(key: str, value: str) -> bytes:
    parts = (key.encode(), value.encode())
    return struct.pack("!H", 1) + b"".join(struct.pack("!H", len(part)) + part for part in parts)


SPEAKER = Speaker("cassandra", ports=(9042, 9142), programs=("cassandra*", "scylla"), ask=ask)
