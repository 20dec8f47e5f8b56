"""ONC RPC (RFC 5531): procedure 0 of the port mapper (RFC 1833) and of NFS (RFC 7530), which does nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, forgiving, sized

_IDENTIFIER = 0x68706F72
_CALL, _REPLY = 0, 1
_LAST = 1 << 31
_SUCCESS, _MISMATCH = 0, 2


def _null(program: int, version: int) -> bytes:
    return struct.pack("!10I", _IDENTIFIER, _CALL, 2, program, version, 0, 0, 0, 0, 0)


def _by_tcp(name: str, call: bytes) -> Callable[[Conversation], Match | None]:
    def ask(conversation: Conversation) -> Match | None:
        conversation.send(struct.pack("!I", _LAST | len(call)) + call)
        return _answer(name, conversation.receive(sized(_size, 8))[4:])

    return ask


def _by_udp(name: str, call: bytes) -> Callable[[Conversation], Match | None]:
    def ask(conversation: Conversation) -> Match | None:
        conversation.send(call)
        return _answer(name, conversation.receive())

    return ask


def _size(data: bytes) -> int | None:
    size, identifier = struct.unpack_from("!II", data)
    return (size ^ _LAST) + 4 if size & _LAST and identifier == _IDENTIFIER and size ^ _LAST < 1000 else None


@forgiving
def _answer(name: str, data: bytes) -> Match | None:
    identifier, kind, denied, _, verifier = struct.unpack_from("!5I", data)
    if (identifier, kind, denied) != (_IDENTIFIER, _REPLY, 0) or verifier > 400:
        return None
    (status,) = struct.unpack_from("!I", data, 20 + verifier)
    if status == _MISMATCH:
        low, high = struct.unpack_from("!II", data, 24 + verifier)
        return Match(name, None, None, f"it answers procedure 0: {binary(data)}", (("versions", f"{low} to {high}"),))
    return Match(name, None, None, f"it answers procedure 0: {binary(data)}") if status == _SUCCESS else None


_PORT_MAPPER = _null(100000, 2)
_NFS = _null(100003, 4)

RPCBIND = Speaker(
    "rpcbind", ports=(111,), programs=("rpcbind",), ask=_by_tcp("rpcbind", _PORT_MAPPER), only_with_clue=True
)
RPCBIND_UDP = Speaker(
    "rpcbind",
    ports=(111,),
    programs=("rpcbind",),
    transport=Protocol.UDP,
    ask=_by_udp("rpcbind", _PORT_MAPPER),
    only_with_clue=True,
)
NFS = Speaker("nfs", ports=(2049,), programs=("nfsd", "ganesha.nfsd"), ask=_by_tcp("nfs", _NFS), only_with_clue=True)
