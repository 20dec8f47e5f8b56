"""FastCGI (its specification 1.0 §4.1): FCGI_GET_VALUES, a management record that starts no request. PHP-FPM speaks
it.
"""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, binary, forgiving, sized, text

_GET_VALUES, _GET_VALUES_RESULT = 9, 10
_NAME = b"FCGI_MPXS_CONNS"
_ASKED = struct.pack("!BB", len(_NAME), 0) + _NAME
_REQUEST = struct.pack("!BBHHBB", 1, _GET_VALUES, 0, len(_ASKED), 0, 0) + _ASKED


def ask(conversation: Conversation) -> Match | None:
    """Ask whether it multiplexes."""
    conversation.send(_REQUEST)
    return _answer(conversation.receive(sized(_size, 8)))


def _size(data: bytes) -> int | None:
    version, kind, request, size, padding, _ = struct.unpack_from("!BBHHBB", data)
    return 8 + size + padding if (version, kind, request) == (1, _GET_VALUES_RESULT, 0) and size < 1000 else None


@forgiving
def _answer(data: bytes) -> Match | None:
    if _size(data) is None:
        return None
    body = Cursor(data, 8)
    length, value = body.number(1), body.number(1)
    if body.take(length) != _NAME:
        return None
    facts = (("multiplexes", "yes" if text(body.take(value)) == "1" else "no"),)
    return Match("fastcgi", None, None, f"it answers FCGI_GET_VALUES with {binary(data)}", facts)


SPEAKER = Speaker("fastcgi", ports=(9000,), programs=("php-fpm*", "spawn-fcgi"), ask=ask)
