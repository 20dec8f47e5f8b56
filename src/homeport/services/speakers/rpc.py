"""ONC RPC (RFC 5531): procedure 0 of the port mapper (RFC 1833) and of NFS (RFC 7530), which does nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, forgiving, sized

_CALL, _REPLY = 0, 1
_LAST = 1 << 31
_SUCCESS, _MISMATCH = 0, 2


class _Program(NamedTuple):
    """A program of ONC RPC; `mark` is the xid, which the answer repeats."""

    name: str
    number: int
    version: int
    mark: int

    @property
    def call(self) -> bytes:
        return struct.pack("!10I", self.mark, _CALL, 2, self.number, self.version, 0, 0, 0, 0, 0)


_PORT_MAPPER = _Program("rpcbind", 100000, 2, 0x6870626D)
_NFS = _Program("nfs", 100003, 4, 0x68706673)


def _by_tcp(program: _Program) -> Callable[[Conversation], Match | None]:
    def ask(conversation: Conversation) -> Match | None:
        conversation.send(struct.pack("!I", _LAST | len(program.call)) + program.call)
        return _answer(program, conversation.receive(sized(partial(_size, program), 8))[4:])

    return ask


def _by_udp(program: _Program) -> Callable[[Conversation], Match | None]:
    def ask(conversation: Conversation) -> Match | None:
        conversation.send(program.call)
        return _answer(program, conversation.receive())

    return ask


def _size(program: _Program, data: bytes) -> int | None:
    size, mark = struct.unpack_from("!II", data)
    return (size ^ _LAST) + 4 if size & _LAST and mark == program.mark and size ^ _LAST < 1000 else None


@forgiving
def _answer(program: _Program, data: bytes) -> Match | None:
    mark, kind, denied, _, verifier = struct.unpack_from("!5I", data)
    if (mark, kind, denied) != (program.mark, _REPLY, 0) or verifier > 400:
        return None
    (status,) = struct.unpack_from("!I", data, 20 + verifier)
    evidence = f"it answers procedure 0 of program {program.number}: {binary(data)}"
    if status == _MISMATCH:
        low, high = struct.unpack_from("!II", data, 24 + verifier)
        return Match(program.name, None, None, evidence, (("versions", f"{low} to {high}"),))
    return Match(program.name, None, None, evidence) if status == _SUCCESS else None


RPCBIND = Speaker("rpcbind", ports=(111,), programs=("rpcbind",), ask=_by_tcp(_PORT_MAPPER), only_with_clue=True)
RPCBIND_UDP = Speaker(
    "rpcbind",
    ports=(111,),
    programs=("rpcbind",),
    transport=Protocol.UDP,
    ask=_by_udp(_PORT_MAPPER),
    only_with_clue=True,
)
NFS = Speaker("nfs", ports=(2049,), programs=("nfsd", "ganesha.nfsd"), ask=_by_tcp(_NFS), only_with_clue=True)
