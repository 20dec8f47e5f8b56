"""SOCKS 5 (RFC 1928 §3): which method of authentication it takes, of the one that needs no password. Nothing is
connected.
"""

from __future__ import annotations

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, exactly

_METHODS = b"\x05\x01\x00"
_ANSWERS = {b"\x05\x00": "not demanded", b"\x05\xff": "demanded"}


def ask(conversation: Conversation) -> Match | None:
    """Offer to come without a password."""
    conversation.send(_METHODS)
    answer = conversation.receive(exactly(2))
    authentication = _ANSWERS.get(answer)
    if authentication is None:
        return None
    return Match(
        "socks5",
        None,
        None,
        f"it answers the choice of methods with {binary(answer)}",
        (("authentication", authentication),),
    )


SPEAKER = Speaker("socks5", ports=(1080, 9050, 9150), programs=("danted", "sockd", "tor", "microsocks"), ask=ask)
