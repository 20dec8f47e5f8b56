"""Gearman's job server (its PROTOCOL document): ECHO_REQ comes back as ECHO_RES, then the text command `version`."""

from __future__ import annotations

import re
import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import exactly, line, text

_WORD = b"homeport"
_ECHO_REQ = struct.pack("!4sII", b"\0REQ", 16, len(_WORD)) + _WORD
_ECHO_RES = struct.pack("!4sII", b"\0RES", 17, len(_WORD)) + _WORD
_VERSION = re.compile(rb"\A(?:OK )?(\d[\w.+~-]{0,40})\r?\n\Z")


def ask(conversation: Conversation) -> Match | None:
    """Have a word echoed, and ask for the version."""
    conversation.send(_ECHO_REQ)
    if conversation.receive(exactly(len(_ECHO_RES))) != _ECHO_RES:
        return None
    conversation.send(b"version\r\n")
    found = _VERSION.match(conversation.receive(line))
    return Match("gearman", None, text(found[1]) if found else None, "it answers ECHO_REQ with ECHO_RES")


SPEAKER = Speaker("gearman", ports=(4730,), programs=("gearmand",), ask=ask, only_with_clue=True)
