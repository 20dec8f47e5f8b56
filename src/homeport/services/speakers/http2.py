"""HTTP/2 without TLS (RFC 9113 §3.3) and gRPC: the preface, and a question of the gRPC health service in one go.

A server that speaks HTTP/2 answers with SETTINGS; one that speaks gRPC answers any call with its own content type, a
call of what it does not have with the status UNIMPLEMENTED. A Ray head is asked for its version in a call of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import forgiving, named, text

if TYPE_CHECKING:
    from h2.connection import H2Connection

_SETTINGS = 4
_MOST = 1 << 16
_HEALTH = "/grpc.health.v1.Health/Check"
_RAY = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_EMPTY_MESSAGE = bytes(5)
_STATUSES = {b"\x08\x00": "unknown", b"\x08\x01": "serving", b"\x08\x02": "not serving", b"": "unknown"}
_SERVERS = (
    ("nginx", r"^nginx(?:/(\d[\w.]*))?"),
    ("Hypercorn", r"^hypercorn-h2"),
    ("Caddy", r"^Caddy"),
    ("Envoy", r"^envoy"),
    ("Apache", r"^Apache(?:/(\d[\w.]*))?"),
)


class _Said(NamedTuple):
    """What came back: headers and trailers by name, and the body."""

    headers: Mapping[str, str]
    body: bytes


def ask(conversation: Conversation) -> Match | None:
    """Ask how healthy a gRPC server is."""
    said = _call(conversation, _HEALTH)
    if said is None:
        return None
    status = said.headers.get(":status")
    if not said.headers.get("content-type", "").startswith("application/grpc"):
        product, version = named(said.headers.get("server", ""), _SERVERS)
        evidence = "it answers the preface with SETTINGS" + (f", and a request with {status}" if status else "")
        return Match("http/2", product, version, evidence)
    facts = [("health", _STATUSES.get(said.body[5:], "unknown"))] if said.headers.get("grpc-status") == "0" else []
    if said.headers.get("grpc-status") == "16":
        facts.append(("authentication", "demanded"))
    evidence = f"it answers a call with {said.headers['content-type']}"
    return Match("grpc", None, None, evidence, tuple(facts))


def ask_ray(conversation: Conversation) -> Match | None:
    """Ask a Ray head whether it lives; the answer carries its version (gcs_service.proto, CheckAliveReply)."""
    said = _call(conversation, _RAY)
    version = _ray_version(said.body[5:]) if said and said.headers.get("grpc-status") == "0" else None
    return Match("grpc", "Ray", version, f"it answers {_RAY} with its version") if version else None


@forgiving
def _ray_version(message: bytes) -> str | None:
    """Field 2 of the message, after field 1, the status, where that is given."""
    at = 2 + message[1] if message[:1] == b"\x0a" else 0
    found = message[at + 2 : at + 2 + message[at + 1]] if message[at] == 0x12 else b""
    version = found.decode("ascii")
    return version if re.fullmatch(r"\d+\.\d+[\w.+-]*", version) else None


def _call(conversation: Conversation, path: str) -> _Said | None:
    """Call a method of gRPC with an empty message; None: it does not speak HTTP/2."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection

    connection = H2Connection(H2Configuration(client_side=True, header_encoding=None))
    connection.initiate_connection()
    headers = {":method": "POST", ":scheme": "http", ":authority": "localhost", ":path": path}
    headers |= {"content-type": "application/grpc", "te": "trailers"}
    connection.send_headers(1, list(headers.items()))
    connection.send_data(1, _EMPTY_MESSAGE, end_stream=True)
    conversation.send(connection.data_to_send())
    first = conversation.receive(lambda data: len(data) >= 9)
    if (
        len(first) < 9
        or first[3] != _SETTINGS
        or first[4] != 0
        or first[5:9] != bytes(4)
        or int.from_bytes(first[:3]) % 6
    ):
        return None
    return _listen(connection, conversation, first)


def _listen(connection: H2Connection, conversation: Conversation, data: bytes) -> _Said:
    """Read on until the stream ends."""
    from h2.events import (
        ConnectionTerminated,
        DataReceived,
        ResponseReceived,
        StreamEnded,
        StreamReset,
        TrailersReceived,
    )
    from h2.exceptions import ProtocolError

    headers: dict[str, str] = {}
    body = b""
    while data and len(body) < _MOST:
        try:
            events = connection.receive_data(data)
        except (ProtocolError, ValueError, LookupError):
            break  # what came before is all that counts
        for event in events:
            if isinstance(event, ResponseReceived | TrailersReceived):
                headers |= {text(bytes(name)): text(bytes(value)) for name, value in event.headers or ()}
            elif isinstance(event, DataReceived):
                body += event.data or b""
            elif isinstance(event, StreamEnded | StreamReset | ConnectionTerminated):
                return _Said(headers, body)
        if answer := connection.data_to_send():
            conversation.send(answer)
        data = conversation.receive()
    return _Said(headers, body)


SPEAKER = Speaker("http/2", ports=(50051, 50052), programs=("grpc*",), ask=ask)
RAY = Speaker("ray", ports=(6379,), programs=("gcs_server", "raylet", "ray"), ask=ask_ray, only_with_clue=True)
