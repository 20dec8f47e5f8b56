"""memcached (its doc/protocol.txt): `version`."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import line, quoted, text

_VERSION = re.compile(rb"\AVERSION (\d[\w.+~-]{0,40})\r\n\Z")
_UNAUTHENTICATED = b"CLIENT_ERROR unauthenticated\r\n"


def ask(conversation: Conversation) -> Match | None:
    """Ask for the version; with a password file (-Y) the refusal proves it as well."""
    conversation.send(b"version\r\n")
    answer = conversation.receive(line)
    found = _VERSION.match(answer)
    evidence = f"it answers version with {quoted(answer)}"
    if found:
        return Match("memcached", "memcached", text(found[1]), evidence, (("authentication", "not demanded"),))
    if answer == _UNAUTHENTICATED:
        return Match("memcached", "memcached", None, evidence, (("authentication", "demanded"),))
    return None


SPEAKER = Speaker("memcached", ports=(11211,), programs=("memcached",), ask=ask)
