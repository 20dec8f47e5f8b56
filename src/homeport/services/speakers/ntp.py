"""NTP (RFC 5905): a client's packet, whose time the server gives back; before it the question of mode 6 for the
version.

The version (RFC 9327, `readvar`) is answered first where it is allowed, so nobody waits for an answer that never
comes.
"""

from __future__ import annotations

import re
import struct

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import forgiving, named, text

_TIME = bytes.fromhex("e9 5d 0a 00 68 6f 6d 65")
_CLIENT = struct.pack("!B", 0o43) + bytes(39) + _TIME
_READ_VARIABLES = struct.pack("!BBHHHHH", 0o26, 2, 1, 0, 0, 0, 0)
_SERVER, _CONTROL = 4, 6
_PRODUCTS = (("NTPsec", r"ntpsec-(\d[\w.]*)"), ("ntpd", r"^ntpd (\d[\w.]*)"), ("OpenNTPD", r"(?i)^openntpd"))


def ask(conversation: Conversation) -> Match | None:
    """Ask for the version, and for the time."""
    conversation.send(_READ_VARIABLES)
    conversation.send(_CLIENT)
    first = conversation.receive()
    if len(first) >= 12 and first[0] & 7 == _CONTROL and first[1] & 0xBF == 0x82 and first[2:4] == b"\0\x01":
        told = re.search(r'version="([^"]{1,100})"', text(first[12:]))
        return _time(conversation.receive(), told[1] if told else None)
    return _time(first, None)


@forgiving
def _time(data: bytes, told: str | None) -> Match | None:
    first, stratum = struct.unpack_from("!BB", data)
    if len(data) < 48 or first & 7 != _SERVER or not 1 <= first >> 3 & 7 <= 4 or data[24:32] != _TIME:
        return None
    product, version = named(told, _PRODUCTS) if told else (None, None)
    facts = [("stratum", str(stratum))]
    if first >> 6 == 3 or stratum in (0, 16):
        facts.append(("clock", "not synchronised"))
    return Match("ntp", product, version, "it answers with the time that it was sent", tuple(facts))


SPEAKER = Speaker(
    "ntp", ports=(123,), programs=("ntpd", "chronyd", "openntpd", "ntpsec"), transport=Protocol.UDP, ask=ask
)
