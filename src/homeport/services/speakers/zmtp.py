"""ZeroMQ (ZMTP, RFC 23 of rfc.zeromq.org §2.2): each side begins with a signature; kernels of Jupyter do, for one."""

from __future__ import annotations

import re

from homeport.services.kind import Match, Speaker
from homeport.services.speakers.parsing import binary

_SIGNATURE = re.compile(rb"\A\xff[\0-\xff]{7}[\x01\0]\x7f(?:([\x01-\x03])[\0-\xff]{0,53})?\Z")


def greeting(data: bytes) -> Match | None:
    """Recognise the signature."""
    found = _SIGNATURE.match(data)
    if not found:
        return None
    facts = (("protocol version", str(found[1][0])),) if found[1] else ()
    return Match("zmtp", None, None, f"it begins with ZMTP's signature {binary(data[:10])}", facts)


SPEAKER = Speaker("zmtp", ports=(5555,), programs=("ipykernel*",), greeting=greeting)
