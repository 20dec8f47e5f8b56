"""AMQP: the protocol header is answered with Connection.Start, which names the server, or with the header that it
knows.

Sources: AMQP 0-9-1 §2.2.4 and §4.2.2, AMQP 1.0 §2.2.
"""

from __future__ import annotations

import struct

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import Cursor, binary, forgiving, sized, text

_HEADER = b"AMQP\0\0\x09\x01"
_METHOD, _END = 1, 0xCE
_START = (10, 10)
_MOST = 1 << 16
_HEADERS = (b"AMQP\0\x01\0\0", b"AMQP\x03\x01\0\0", b"AMQP\x02\x01\0\0", b"AMQP\0\0\x09\x01")
_NAMES = {0: "AMQP 1.0", 2: "AMQP 1.0 after TLS", 3: "AMQP 1.0 after SASL"}
_WIDTHS = {
    "t": 1,
    "b": 1,
    "B": 1,
    "U": 2,
    "u": 2,
    "I": 4,
    "i": 4,
    "L": 8,
    "l": 8,
    "f": 4,
    "d": 8,
    "D": 5,
    "T": 8,
    "V": 0,
}


def ask(conversation: Conversation) -> Match | None:
    """Say the header of 0-9-1, as a client begins."""
    conversation.send(_HEADER)
    answer = conversation.receive(sized(_size, 8))
    if answer[:8] in _HEADERS[:3]:
        version = _NAMES[answer[4]]
        return Match("amqp", None, None, f"it answers with the header of {version}", (("protocol version", "1.0"),))
    return _start(answer)


def _size(data: bytes) -> int | None:
    kind, channel, size = struct.unpack_from("!BHI", data)
    return size + 8 if kind == _METHOD and channel == 0 and size <= _MOST else None


@forgiving
def _start(data: bytes) -> Match | None:
    kind, channel, size, *method = struct.unpack_from("!BHIHH", data)
    if (kind, channel, tuple(method), size + 8, data[-1]) != (_METHOD, 0, _START, len(data), _END):
        return None
    body = Cursor(data, 11)
    major, minor = body.number(1), body.number(1)
    told = _table(body.take(body.number(4)))
    mechanisms = text(body.take(body.number(4)))
    facts = [("protocol version", f"{major}.{minor}.1" if (major, minor) == (0, 9) else f"{major}.{minor}")]
    if mechanisms:
        facts.append(("authentication", f"demanded ({mechanisms})"))
    return Match(
        "amqp",
        told.get("product"),
        told.get("version"),
        f"it answers with Connection.Start: {binary(data)}",
        tuple(facts),
    )


def _table(data: bytes) -> dict[str, str]:
    """The texts of a field table (§4.2.5.5, with RabbitMQ's errata); the rest is stepped over."""
    cursor, found = Cursor(data), {}
    while cursor.left:
        name = text(cursor.take(cursor.number(1)))
        kind = text(cursor.take(1))
        if kind in "SFAx":
            value = cursor.take(cursor.number(4))
            if kind == "S":
                found[name] = text(value)
        elif kind == "s":
            cursor.take(2)
        else:
            cursor.take(_WIDTHS[kind])
    return found


SPEAKER = Speaker("amqp", ports=(5672, 5671), programs=("rabbitmq*", "lavinmq", "activemq*", "artemis"), ask=ask)
