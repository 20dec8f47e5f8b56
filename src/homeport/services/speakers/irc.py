"""IRC (RFC 2812): some servers begin with a notice; the others answer PING, or a numeric that we are not registered."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import line, quoted

_NOTICE = re.compile(rb"\A(?::\S{1,100} )?NOTICE (?:AUTH|\*) :[^\r\n]{1,400}\r?\n")
_ANSWER = re.compile(rb"(?m)^:\S{1,100} (?:451 \S{1,50} |PONG \S{1,100} :?homeport\b)[^\r\n]{0,400}\r?$")


def greeting(data: bytes) -> Match | None:
    """Recognise a notice."""
    found = _NOTICE.match(data)
    return Match("irc", None, None, f"it greets with {quoted(found[0])}") if found else None


def ask(conversation: Conversation) -> Match | None:
    """Ask for a PONG."""
    conversation.send(b"PING :homeport\r\n")
    found = _ANSWER.search(conversation.receive(line))
    return Match("irc", None, None, f"it answers PING with {quoted(found[0])}") if found else None


SPEAKER = Speaker(
    "irc",
    ports=(6667, 6668, 6697),
    programs=("ngircd", "ircd", "inspircd", "ergo"),
    greeting=greeting,
    ask=ask,
    only_with_clue=True,
)
