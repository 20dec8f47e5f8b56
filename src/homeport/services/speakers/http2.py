"""HTTP/2 without TLS (RFC 9113 §3.3) and gRPC: the preface, and a question of the gRPC health service in one go.

A server that speaks HTTP/2 answers with SETTINGS; one that speaks gRPC answers any call with its own content type, a
call of what it does not have with UNIMPLEMENTED. A Ray head is asked for its version in a call of its own.
"""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import forgiving, named
from homeport.wire import grpc, http2

_RAY = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_SETTINGS = 4
_MOST_ROUNDS = 1024
_SERVERS = (
    ("nginx", r"^nginx(?:/(\d[\w.]*))?"),
    ("Hypercorn", r"^hypercorn-h2"),
    ("Caddy", r"^Caddy"),
    ("Envoy", r"^envoy"),
    ("Apache", r"^Apache(?:/(\d[\w.]*))?"),
)


def ask(conversation: Conversation) -> Match | None:
    """Ask how healthy a gRPC server is."""
    call = _call(conversation, grpc.PATH)
    return _match(call) if call else None


def reply(data: bytes, conversation: Conversation) -> Match | None:
    """The same to a server that begins with its SETTINGS, as those of gRPC's C core do."""
    if not _settings(data):
        return None
    call = _call(conversation, grpc.PATH, data)
    return _match(call) if call else None


def _match(call: http2.Conversation) -> Match:
    response = call.response
    status = grpc.status(response, call.trailers) if response else None
    if response and status:
        health = (("health", grpc.serving(response.body) or "UNKNOWN"),) if status[0] == "OK" else ()
        demanded = (("authentication", "demanded"),) if status[0] == "UNAUTHENTICATED" else ()
        return Match("grpc", None, None, f"it answers a call of gRPC with {status[0]}", health + demanded)
    product, version = named((response and response.header("server")) or "", _SERVERS)
    evidence = "it answers the preface with SETTINGS" + (f", and a request with {response.status}" if response else "")
    return Match("http/2", product, version, evidence)


def ask_ray(conversation: Conversation) -> Match | None:
    """Ask a Ray head whether it lives; the answer carries its version (gcs_service.proto, CheckAliveReply)."""
    call = _call(conversation, _RAY)
    return _ray(call) if call else None


def reply_to_ray(data: bytes, conversation: Conversation) -> Match | None:
    """The same after its SETTINGS."""
    call = _call(conversation, _RAY, data) if _settings(data) else None
    return _ray(call) if call else None


def _ray(call: http2.Conversation) -> Match:
    response = call.response
    version = None
    if response and (grpc.status(response, call.trailers) or ("",))[0] == "OK":
        version = _ray_version(response.body[5:])
    return Match("grpc", "Ray", version, f"it answers {_RAY} with its version") if version else _match(call)


@forgiving
def _ray_version(message: bytes) -> str | None:
    """Field 2 of the message, after field 1, the status, where that is given."""
    at = 2 + message[1] if message[:1] == b"\x0a" else 0
    found = message[at + 2 : at + 2 + message[at + 1]] if message[at] == 0x12 else b""
    version = found.decode("ascii")
    return version if re.fullmatch(r"\d+\.\d+[\w.+-]*", version) else None


def _settings(data: bytes) -> bool:
    return http2.speaks(data) and data[3] == _SETTINGS


def _call(conversation: Conversation, path: str, data: bytes = b"") -> http2.Conversation | None:
    """Call a method of gRPC with an empty message, after `data` was heard; None: it does not speak HTTP/2."""
    call = http2.Conversation("POST", "http", "localhost", path, grpc.HEADERS, grpc.health_request())
    conversation.send(call.opening)
    data = data or conversation.receive(lambda read: len(read) >= 9)
    if not _settings(data):
        return None
    for _ in range(_MOST_ROUNDS):
        answer = call.feed(data)
        if call.done:
            break
        if answer:
            conversation.send(answer)
        data = conversation.receive()
        if not data:
            break
    return call


SPEAKER = Speaker("http/2", ports=(50051, 50052), programs=("grpc*",), ask=ask, reply=reply)
RAY = Speaker(
    "ray", ports=(6379,), programs=("gcs_server", "raylet", "ray"), ask=ask_ray, reply=reply_to_ray, only_with_clue=True
)
