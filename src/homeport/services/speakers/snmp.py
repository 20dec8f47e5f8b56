"""SNMP: the discovery of the engine that begins version 3 (RFC 3414 §4); no community is guessed."""

from __future__ import annotations

from homeport.model.addresses import Protocol
from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers import asn1
from homeport.services.speakers.parsing import forgiving

_IDENTIFIER = 0x6870
_REPORTABLE, _USER_SECURITY = b"\x04", 3
_GET, _REPORT = 0xA0, 0xA8
_NOBODY = asn1.element(
    asn1.SEQUENCE,
    asn1.element(asn1.OCTETS),
    asn1.integer(0),
    asn1.integer(0),
    asn1.element(asn1.OCTETS),
    asn1.element(asn1.OCTETS),
    asn1.element(asn1.OCTETS),
)
_DISCOVERY = asn1.element(
    asn1.SEQUENCE,
    asn1.integer(3),
    asn1.element(
        asn1.SEQUENCE,
        asn1.integer(_IDENTIFIER),
        asn1.integer(65507),
        asn1.element(asn1.OCTETS, _REPORTABLE),
        asn1.integer(_USER_SECURITY),
    ),
    asn1.element(asn1.OCTETS, _NOBODY),
    asn1.element(
        asn1.SEQUENCE,
        asn1.element(asn1.OCTETS),
        asn1.element(asn1.OCTETS),
        asn1.element(_GET, asn1.integer(_IDENTIFIER), asn1.integer(0), asn1.integer(0), asn1.element(asn1.SEQUENCE)),
    ),
)
_ENTERPRISES = {8072: "Net-SNMP", 30155: "OpenBSD snmpd", 9: "Cisco", 311: "Microsoft", 2021: "UCD-SNMP"}


def ask(conversation: Conversation) -> Match | None:
    """Ask who is there."""
    conversation.send(_DISCOVERY)
    return _answer(conversation.receive())


@forgiving
def _answer(data: bytes) -> Match | None:
    ((_, message),) = asn1.elements(data)
    (_, version), (_, header), (_, security), (scope, scoped) = asn1.elements(message)
    (_, identifier), *_ = asn1.elements(header)
    ((_, parameters),) = asn1.elements(security)
    (_, engine), *_ = asn1.elements(parameters)
    if version != b"\x03" or int.from_bytes(identifier) != _IDENTIFIER or scope != asn1.SEQUENCE or len(engine) < 5:
        return None
    *_, (kind, _) = asn1.elements(scoped)
    if kind != _REPORT:
        return None
    enterprise = int.from_bytes(engine[:4]) & 0x7FFFFFFF
    facts = (("engine", engine[:32].hex()),)
    return Match("snmp", _ENTERPRISES.get(enterprise), None, f"it reports its engine {engine[:32].hex()}", facts)


SPEAKER = Speaker("snmp", ports=(161, 1161), programs=("snmpd",), transport=Protocol.UDP, ask=ask)
