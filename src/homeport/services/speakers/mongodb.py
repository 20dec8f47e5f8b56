"""MongoDB's wire protocol: `hello`, then `buildInfo`, both answered before a login; OP_MSG since version 3.6.

Whether a login is demanded is told by `hostInfo`, which reads nothing of the data and is refused without one.

Sources: MongoDB Wire Protocol (OP_MSG), bsonspec.org.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, forgiving, sized, text

_OP_MSG = 2013
_DOUBLE, _STRING, _DOCUMENT, _ARRAY, _BINARY, _BOOLEAN, _INT32, _INT64 = 1, 2, 3, 4, 5, 8, 16, 18
_WIDTHS = {6: 0, 7: 12, 9: 8, 10: 0, 17: 8, 19: 16, 255: 0, 127: 0}
_MOST = 1 << 16
_UNAUTHORIZED = 13
_IDENTIFIER = 0x686F6D65
"""The id of the first request, which its answer repeats."""

Value = float | str | int | bool


def ask(conversation: Conversation) -> Match | None:
    """Say hello, and where that is answered ask for the build."""
    hello = _command(conversation, "hello", _IDENTIFIER)
    if hello is None or "maxWireVersion" not in hello:
        return None
    build = _command(conversation, "buildInfo", _IDENTIFIER + 1) or {}
    version = build.get("version")
    facts = []
    if isinstance(hello.get("setName"), str):
        facts.append(("replica set", str(hello["setName"])))
    if hello.get("msg") == "isdbgrid":
        facts.append(("role", "router (mongos)"))
    authentication = _authentication(_command(conversation, "hostInfo", _IDENTIFIER + 2) or {})
    if authentication:
        facts.append(("authentication", authentication))
    ferret = build.get("ferretdbVersion")
    return Match(
        "mongodb",
        "FerretDB" if ferret else "MongoDB" if isinstance(version, str) else None,
        str(ferret or version).removeprefix("v") if isinstance(version, str) else None,
        f"it answers hello with maxWireVersion {hello['maxWireVersion']}",
        tuple(facts),
    )


def _authentication(answer: dict[str, Value]) -> str | None:
    if answer.get("code") == _UNAUTHORIZED:
        return "demanded"
    return "not demanded" if answer.get("ok") == 1 else None


def _command(conversation: Conversation, name: str, identifier: int) -> dict[str, Value] | None:
    document = _element(_INT32, name, struct.pack("<i", 1)) + _element(_STRING, "$db", b"\x06\0\0\0admin\0")
    body = struct.pack("<IB", 0, 0) + struct.pack("<i", len(document) + 5) + document + b"\0"
    conversation.send(struct.pack("<iiii", 16 + len(body), identifier, 0, _OP_MSG) + body)
    return _answer(conversation.receive(sized(_size, 16)), identifier)


def _element(kind: int, name: str, value: bytes) -> bytes:
    return bytes((kind,)) + name.encode() + b"\0" + value


def _size(data: bytes) -> int | None:
    size, _, _, operation = struct.unpack_from("<iiii", data)
    return size if operation == _OP_MSG and size <= _MOST else None


@forgiving
def _answer(data: bytes, identifier: int) -> dict[str, Value] | None:
    size, _, asked, operation = struct.unpack_from("<iiii", data)
    flags, section = struct.unpack_from("<IB", data, 16)
    if size != len(data) or asked != identifier or operation != _OP_MSG or flags & 0xFFFE or section != 0:
        return None
    return dict(_fields(data[21:]))


def _fields(document: bytes) -> Iterator[tuple[str, Value]]:
    """The plain values of a BSON document; what is nested is stepped over."""
    cursor = Cursor(document)
    end = cursor.number(4, "little")
    while cursor.at < end - 1:
        kind = cursor.number(1)
        name = text(cursor.until())
        if kind == _DOUBLE:
            yield name, struct.unpack("<d", cursor.take(8))[0]
        elif kind in (_STRING, 13, 14):
            yield name, text(cursor.take(cursor.number(4, "little"))[:-1])
        elif kind in (_DOCUMENT, _ARRAY):
            cursor.take(int.from_bytes(cursor.data[cursor.at : cursor.at + 4], "little"))
        elif kind == _BINARY:
            cursor.take(cursor.number(4, "little") + 1)
        elif kind == _BOOLEAN:
            yield name, cursor.take(1) != b"\0"
        elif kind in (_INT32, _INT64):
            yield name, int.from_bytes(cursor.take(4 if kind == _INT32 else 8), "little", signed=True)
        else:
            cursor.take(_WIDTHS[kind])


SPEAKER = Speaker("mongodb", ports=(27017, 27018, 27019), programs=("mongod", "mongos", "mongo", "ferretdb"), ask=ask)
