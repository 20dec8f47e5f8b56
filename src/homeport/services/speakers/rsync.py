"""rsync's daemon begins with its protocol version (rsync's clientserver.c)."""

from __future__ import annotations

import re

from homeport.services.kind import Match, Speaker
from homeport.services.speakers.parsing import quoted, text

_GREETING = re.compile(rb"\A@RSYNCD: (\d{1,3}(?:\.\d{1,3})?)(?: [a-z0-9 -]{1,200})?\n")


def greeting(data: bytes) -> Match | None:
    """Recognise the greeting."""
    found = _GREETING.match(data)
    if not found:
        return None
    facts = (("protocol version", text(found[1])),)
    return Match("rsync", "rsync", None, f"it greets with {quoted(data)}", facts)


SPEAKER = Speaker("rsync", ports=(873,), programs=("rsync", "rsyncd"), greeting=greeting)
