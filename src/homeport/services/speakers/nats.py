"""NATS: the server begins with INFO and a JSON document (NATS documentation, "Client Protocol")."""

from __future__ import annotations

import json

from homeport.services.kind import Match, Speaker
from homeport.services.speakers.parsing import forgiving, quoted


@forgiving
def greeting(data: bytes) -> Match | None:
    """Recognise INFO."""
    first, end, _ = data.partition(b"\r\n")
    word, _, document = first.partition(b" ")
    if word != b"INFO" or not end:
        return None
    found = json.loads(document)
    if not isinstance(found, dict) or not isinstance(found.get("server_id"), str) or "max_payload" not in found:
        return None
    version = found.get("version")
    facts = [("authentication", "demanded" if found.get("auth_required") else "not demanded")]
    facts.append(
        ("tls", "demanded" if found.get("tls_required") else "offered" if found.get("tls_available") else "not offered")
    )
    if found.get("jetstream"):
        facts.append(("jetstream", "on"))
    told = version if isinstance(version, str) else None
    return Match("nats", "NATS Server", told, f"it greets with {quoted(first)}", tuple(facts))


SPEAKER = Speaker("nats", ports=(4222,), programs=("nats-server", "nats"), greeting=greeting)
