"""Telnet (RFC 854): a server that begins with the negotiation of options."""

from __future__ import annotations

import re

from homeport.services.kind import Match, Speaker
from homeport.services.speakers.parsing import binary

_NEGOTIATION = re.compile(rb"\A(?:\xff[\xfb-\xfe][\x00-\x31\xff]){2,}")
"""At least two of IAC WILL/WONT/DO/DONT with an option that IANA knows."""


def greeting(data: bytes) -> Match | None:
    """Recognise negotiations."""
    found = _NEGOTIATION.match(data)
    return Match("telnet", None, None, f"it begins with negotiations: {binary(found[0])}") if found else None


SPEAKER = Speaker("telnet", ports=(23, 2323), programs=("telnetd", "in.telnetd", "utelnetd"), greeting=greeting)
