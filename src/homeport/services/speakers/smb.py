"""SMB 2 and 3 ([MS-SMB2] 2.2.3): NEGOTIATE, which comes before any login; the answer picks a dialect."""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import forgiving, sized

_DIALECTS = (0x0202, 0x0210, 0x0300, 0x0302)
_HEADER = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ", 64, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + bytes(16)
_NEGOTIATE = struct.pack("<HHHHI", 36, len(_DIALECTS), 1, 0, 0) + b"homeport-asking!" + bytes(8)
_MESSAGE = _HEADER + _NEGOTIATE + struct.pack(f"<{len(_DIALECTS)}H", *_DIALECTS)
_REQUEST = struct.pack("!I", len(_MESSAGE)) + _MESSAGE
_SIGNING_REQUIRED = 2


def ask(conversation: Conversation) -> Match | None:
    """Offer the dialects."""
    conversation.send(_REQUEST)
    return _answer(conversation.receive(sized(_size, 8)))


def _size(data: bytes) -> int | None:
    (size,) = struct.unpack_from("!I", data)
    return size + 4 if data[4:8] == b"\xfeSMB" and size < 1 << 16 else None


@forgiving
def _answer(data: bytes) -> Match | None:
    if _size(data) is None:
        return None
    size, _, _, command = struct.unpack_from("<HHIH", data, 8)
    (flags,) = struct.unpack_from("<I", data, 20)
    body, security, dialect = struct.unpack_from("<HHH", data, 68)
    if (size, command, body, flags & 1) != (64, 0, 65, 1) or dialect not in _DIALECTS:
        return None
    name = f"{dialect >> 8}.{dialect >> 4 & 15}.{dialect & 15}".removesuffix(".0")
    signing = "demanded" if security & _SIGNING_REQUIRED else "offered"
    return Match("smb", None, None, f"it picks dialect {name}", (("dialect", name), ("signing", signing)))


SPEAKER = Speaker("smb", ports=(445,), programs=("smbd", "ksmbd*"), ask=ask, only_with_clue=True)
