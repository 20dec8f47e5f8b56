"""Microsoft SQL Server: PRELOGIN ([MS-TDS] 2.2.6.5), whose answer tells the version before a login."""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, forgiving, sized

_RESPONSE = 4
_END_OF_MESSAGE = 1
_VERSION, _ENCRYPTION, _TERMINATOR = 0, 1, 0xFF
_ENCRYPTIONS = {0: "offered", 1: "offered", 2: "not offered", 3: "demanded"}
_OPTIONS = struct.pack("!BHHBHHB", _VERSION, 11, 6, _ENCRYPTION, 17, 1, _TERMINATOR) + bytes(6) + b"\x02"
_PRELOGIN = struct.pack("!BBHHBB", 0x12, _END_OF_MESSAGE, 8 + len(_OPTIONS), 0, 0, 0) + _OPTIONS


def ask(conversation: Conversation) -> Match | None:
    """Ask what comes before a login."""
    conversation.send(_PRELOGIN)
    return _answer(conversation.receive(sized(_size, 4)))


def _size(data: bytes) -> int | None:
    kind, status, size = struct.unpack_from("!BBH", data)
    return size if kind == _RESPONSE and status == _END_OF_MESSAGE else None


@forgiving
def _answer(data: bytes) -> Match | None:
    if _size(data) != len(data):
        return None
    body, at, found = data[8:], 0, {}
    while body[at] != _TERMINATOR:
        option, offset, size = struct.unpack_from("!BHH", body, at)
        found[option] = body[offset : offset + size]
        at += 5
    major, minor, build = struct.unpack("!BBH", found[_VERSION][:4])
    tls = _ENCRYPTIONS.get(found[_ENCRYPTION][0])
    if len(found[_VERSION]) != 6 or tls is None or not major:
        return None
    evidence = f"it answers PRELOGIN with {binary(data)}"
    return Match("tds", "Microsoft SQL Server", f"{major}.{minor}.{build}", evidence, (("tls", tls),))


SPEAKER = Speaker("tds", ports=(1433, 1434), programs=("sqlservr", "mssql", "azure-sql-edge"), ask=ask)
