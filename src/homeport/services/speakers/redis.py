"""Redis and its kin (RESP): PING, then INFO, which tells product and version where no password is demanded.

PING proves it: `+PONG`, or the refusals that Redis alone words so. A server in protected mode, or with too many
clients, says so unasked.
"""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import line, quoted, text

_DENIED = b"-DENIED Redis is running in protected mode"
_FULL = b"-ERR max number of clients reached"
_REFUSED = re.compile(rb"\A-NOAUTH Authentication required|\A-NOPERM |\A-MASTERDOWN |\A-LOADING |\A-BUSY ")
_BULK = re.compile(rb"\A\$(\d{1,5})\r\n")
_FIELD = re.compile(r"^([a-z_]+):([^\r\n]*)", re.MULTILINE)
_PRODUCTS = (
    ("Dragonfly", "dragonfly_version", "df-v"),
    ("Valkey", "valkey_version", ""),
    ("Redis", "redis_version", ""),
)
_SERVERS = {"valkey": "Valkey", "keydb": "KeyDB"}


def greeting(data: bytes) -> Match | None:
    """Recognise a refusal that comes unasked."""
    if data.startswith(_DENIED):
        return _match("Redis", None, data, ("access", "from loopback only: protected mode"))
    if data.startswith(_FULL + b"\r\n"):
        return _match(None, None, data, ("access", "no more clients"))
    return None


def ask(conversation: Conversation) -> Match | None:
    """PING, and where that is answered INFO."""
    conversation.send(b"PING\r\n")
    answer = conversation.receive(line)
    if greeting(answer):
        return greeting(answer)
    if _REFUSED.match(answer):
        if answer.startswith(b"-LOADING "):
            return _match(None, None, answer, ("state", "starting"))
        demanded = answer.startswith((b"-NOAUTH", b"-NOPERM"))
        return _match(None, None, answer, ("authentication", "demanded") if demanded else None)
    if answer != b"+PONG\r\n":
        return None
    conversation.send(b"INFO server\r\n")
    info = conversation.receive(_whole)
    found = dict(_FIELD.findall(text(info))) if _BULK.match(info) else {}
    if not found:
        return _match(None, None, answer, None)
    product, version = _told(found)
    mode = found.get("server_mode") or found.get("redis_mode")
    match = _match(product, version, answer, ("authentication", "not demanded"))
    return match._replace(
        evidence=f"{match.evidence} to PING, and its version to INFO",
        facts=match.facts + ((("mode", mode.strip()),) if mode else ()),
    )


def _told(found: dict[str, str]) -> tuple[str | None, str | None]:
    for product, field, prefix in _PRODUCTS:
        if field in found:
            named = _SERVERS.get(found.get("server_name", "").strip().lower(), product)
            return named, found[field].strip().removeprefix(prefix) or None
    return None, None


def _match(product: str | None, version: str | None, answer: bytes, fact: tuple[str, str] | None) -> Match:
    return Match("redis", product, version, f"it says {quoted(answer)}", (fact,) if fact else ())


def _whole(data: bytes) -> bool:
    size = _BULK.match(data)
    return len(data) >= size.end() + int(size[1]) + 2 if size else line(data) and not data.startswith(b"$")


SPEAKER = Speaker(
    "redis",
    ports=(6379, 26379, 6380, 7000),
    programs=("redis-server", "redis-sentinel", "valkey*", "keydb-server", "dragonfly", "redis"),
    greeting=greeting,
    ask=ask,
)
