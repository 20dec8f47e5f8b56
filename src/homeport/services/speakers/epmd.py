"""Erlang's port mapper (Erlang documentation, "EPMD Protocol"): NAMES_REQ, which lists the nodes and their ports."""

from __future__ import annotations

import re
import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import forgiving, text

_NAMES_REQ = b"\0\x01n"
_NODE = re.compile(rb"name (\S{1,100}) at port (\d{1,5})\n")
_PORTS = (4369,)


def ask(conversation: Conversation) -> Match | None:
    """Ask for the names; it closes after the last one."""
    conversation.send(_NAMES_REQ)
    return _answer(conversation.receive(lambda data: not b"\0\0".startswith(data[:2])))


@forgiving
def _answer(data: bytes) -> Match | None:
    (port,) = struct.unpack_from("!I", data)
    nodes = _NODE.findall(data)
    if _NODE.sub(b"", data[4:]) or port > 65535 or (port not in _PORTS and not nodes):
        return None
    facts = tuple((f"node {text(name)}", f"port {text(number)}") for name, number in nodes)
    return Match("epmd", "Erlang port mapper", None, f"it answers NAMES_REQ with port {port}", facts)


SPEAKER = Speaker("epmd", ports=_PORTS, programs=("epmd",), ask=ask, only_with_clue=True)
