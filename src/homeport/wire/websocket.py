"""The opening and closing of a WebSocket (RFC 6455 §4 and §5.5.1)."""

from __future__ import annotations

import base64
import hashlib

from homeport.errors import WireError
from homeport.wire import http

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NORMAL = 1000
_CLOSE = 0x8


def request(target: str, host: str, nonce: bytes, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """The client's opening handshake; `nonce` is 16 random bytes. Raises WireError."""
    if len(nonce) != 16:
        raise WireError(f"a nonce of {len(nonce)} bytes")
    upgrade = (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", base64.b64encode(nonce).decode()),
        ("Sec-WebSocket-Version", "13"),
    )
    return http.request("GET", target, host, (*upgrade, *headers))


def accept(nonce: bytes) -> str:
    """What Sec-WebSocket-Accept must be."""
    key = base64.b64encode(nonce).decode() + _GUID
    return base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()


def refusal(found: http.Response, nonce: bytes) -> str | None:
    """Why a response is no agreement to speak WebSocket (RFC 6455 §4.1), or None where it is one."""
    if found.status != 101:
        return f"it answered {found.status} {found.reason}".rstrip()
    if (found.header("upgrade") or "").lower() != "websocket":
        return "101 without `Upgrade: websocket`"
    if "upgrade" not in [part.strip() for part in (found.header("connection") or "").lower().split(",")]:
        return "101 without `Connection: Upgrade`"
    if found.header("sec-websocket-accept") != accept(nonce):
        return "its Sec-WebSocket-Accept is not the one of this handshake"
    return None


def close(mask: bytes, code: int = NORMAL) -> bytes:
    """A closing frame of a client; `mask` is 4 random bytes. Raises WireError."""
    if len(mask) != 4 or not 0 <= code < 1 << 16:
        raise WireError("no closing frame")
    payload = bytes(one ^ key for one, key in zip(code.to_bytes(2, "big"), mask, strict=False))
    return b"\x88\x82" + mask + payload


def find_close(data: bytes) -> bool | None:
    """Whether a closing frame comes in the frames of a server; None: not so far, and more may come."""
    at = 0
    while at + 2 <= len(data):
        first, length = data[at], data[at + 1]
        if length & 0x80:  # a server's frames are never masked (RFC 6455 §5.1): this is something else
            return False
        if first & 0x0F == _CLOSE:
            return True
        extended = {126: 2, 127: 8}.get(length, 0)
        if at + 2 + extended > len(data):
            return None
        if extended:
            length = int.from_bytes(data[at + 2 : at + 2 + extended], "big")
        at += 2 + extended + length
    return None
