"""MQTT: a CONNECT of a protocol level that does not exist is refused with CONNACK, before there is a session or a
login.

Sources: MQTT 3.1.1 §3.1.2.2 (MQTT-3.1.2-2), MQTT 5.0 §3.1.2.2 (MQTT-3.1.2-2). A broker may close without an answer.
"""

from __future__ import annotations

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import binary, sized

_CONNECT = b"\x10\x0c\0\x04MQTT\x7f\x02\0\x0a\0\0"
_CONNACK = 0x20
_REFUSALS = {
    b"\x20\x02\0\x01": "unacceptable protocol version",
    b"\x20\x03\0\x84\0": "unsupported protocol version (MQTT 5)",
}


def ask(conversation: Conversation) -> Match | None:
    """Ask for level 127."""
    conversation.send(_CONNECT)
    answer = conversation.receive(sized(lambda data: data[1] + 2 if data[0] == _CONNACK else None, 2))
    refusal = _REFUSALS.get(answer)
    if refusal is None:
        return None
    return Match("mqtt", None, None, f"it refuses CONNECT at level 127 with CONNACK {binary(answer)}: {refusal}")


SPEAKER = Speaker("mqtt", ports=(1883, 8883), programs=("mosquitto", "emqx", "hivemq", "nanomq"), ask=ask)
