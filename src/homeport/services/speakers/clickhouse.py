"""ClickHouse's native protocol. Its Hello is a login, so it is asked what a browser would ask: it answers an HTTP
request with a hint to its other port, and notes that at debug level only.

Source: TCPHandler::receiveHello in ClickHouse's src/Server/TCPHandler.cpp.
"""

from __future__ import annotations

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import quoted

_STATUS = b"HTTP/1.0 400 Bad Request\r\n\r\n"
_HINT = b"is for clickhouse-client program"


def ask(conversation: Conversation) -> Match | None:
    """Ask for a page."""
    conversation.send(b"GET / HTTP/1.0\r\n\r\n")
    answer = conversation.receive(_whole)
    body = answer.removeprefix(_STATUS)
    if not answer.startswith(_STATUS + b"Port ") or _HINT not in body:
        return None
    return Match("clickhouse", "ClickHouse", None, f"it answers an HTTP request with {quoted(body)}")


def _whole(data: bytes) -> bool:
    return _HINT in data or not (_STATUS + b"Port ").startswith(data[: len(_STATUS) + 5])


SPEAKER = Speaker("clickhouse", ports=(9000,), programs=("clickhouse*",), ask=ask, only_with_clue=True)
