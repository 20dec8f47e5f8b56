"""Neo4j's Bolt: the handshake picks a version, before any login.

Source: Neo4j documentation, "Bolt handshake specification".
"""

from __future__ import annotations

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import exactly

_HANDSHAKE = bytes.fromhex("60 60 b0 17  00 08 08 05  00 00 04 04  00 00 00 04  00 00 00 03")


def ask(conversation: Conversation) -> Match | None:
    """Offer versions 5.8 to 3."""
    conversation.send(_HANDSHAKE)
    answer = conversation.receive(exactly(4))
    if len(answer) != 4 or answer[:2] != b"\0\0" or answer[3] not in (3, 4, 5) or answer[2] > 8:
        return None
    version = f"{answer[3]}.{answer[2]}"
    return Match("bolt", None, None, f"it picks Bolt {version}", (("protocol version", version),))


SPEAKER = Speaker("bolt", ports=(7687,), programs=("neo4j", "memgraph"), ask=ask, only_with_clue=True)
