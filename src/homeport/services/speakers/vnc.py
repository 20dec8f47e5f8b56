"""VNC (RFB, RFC 6143 §7.1.1): the server begins with its version. More is not asked: some count clients that leave."""

from __future__ import annotations

import re

from homeport.services.kind import Match, Speaker
from homeport.services.speakers.parsing import quoted, text

_VERSION = re.compile(rb"\ARFB (\d{3})\.(\d{3})\n")


def greeting(data: bytes) -> Match | None:
    """Recognise the version."""
    found = _VERSION.match(data)
    if not found:
        return None
    version = f"{int(text(found[1]))}.{int(text(found[2]))}"
    product = "Apple Remote Desktop" if version == "3.889" else None
    return Match("vnc", product, None, f"it greets with {quoted(data)}", (("protocol version", version),))


SPEAKER = Speaker("vnc", ports=(5900, 5901, 5902), programs=("*vnc*", "vino-server", "wayvnc"), greeting=greeting)
