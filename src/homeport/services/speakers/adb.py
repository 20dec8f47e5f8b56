"""ADB's server on the developer's machine (its SERVICES.TXT): `host:version`. A device's own port is not asked: that
would pair with it.
"""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import exactly, quoted

_QUESTION = b"000chost:version"
_ANSWER = re.compile(rb"\AOKAY0004([0-9a-f]{4})\Z")


def ask(conversation: Conversation) -> Match | None:
    """Ask for the version."""
    conversation.send(_QUESTION)
    answer = conversation.receive(lambda data: exactly(12)(data) or not b"OKAY".startswith(data[:4]))
    found = _ANSWER.match(answer)
    if not found:
        return None
    return Match("adb", "ADB server", f"1.0.{int(found[1], 16)}", f"it answers host:version with {quoted(answer)}")


SPEAKER = Speaker("adb", ports=(5037,), programs=("adb",), ask=ask, only_with_clue=True)
