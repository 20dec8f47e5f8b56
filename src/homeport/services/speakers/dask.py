"""Dask's schedulers and workers: each side begins with what it can compress, as MessagePack in one frame of two.

Source: distributed's comm/core.py (`handshake_info`) and comm/tcp.py (how frames are written).
"""

from __future__ import annotations

import struct

from homeport.services.kind import Match, Speaker
from homeport.services.speakers.parsing import binary, forgiving

_MARKS = (b"\xabcompression", b"\xa6python\x93", b"\xafpickle-protocol")


@forgiving
def greeting(data: bytes) -> Match | None:
    """Recognise the handshake."""
    size, frames = struct.unpack_from("<QQ", data)
    if size != len(data) - 8 or frames != 1 or not all(mark in data for mark in _MARKS):
        return None
    at = data.index(_MARKS[1]) + len(_MARKS[1])
    facts = (("python", ".".join(str(number) for number in data[at : at + 3])),) if max(data[at : at + 3]) < 128 else ()
    return Match("dask", "Dask", None, f"it begins with its handshake: {binary(data)}", facts)


SPEAKER = Speaker("dask", ports=(8786,), programs=("dask*", "distributed*"), greeting=greeting)
