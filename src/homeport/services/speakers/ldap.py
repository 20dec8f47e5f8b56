"""LDAP (RFC 4511, RFC 4512 §5.1): what the server says of itself, the root DSE, asked for without a bind."""

from __future__ import annotations

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers import asn1
from homeport.services.speakers.parsing import forgiving, named, sized, text

_ENTRY, _DONE, _SEARCH = 0x64, 0x65, 0x63
_START_TLS = "1.3.6.1.4.1.1466.20037"
_WANTED = ("objectClass", "vendorName", "vendorVersion", "namingContexts", "supportedExtension", "forestFunctionality")
_QUESTION = asn1.element(
    asn1.SEQUENCE,
    asn1.integer(1),
    asn1.element(
        _SEARCH,
        asn1.element(asn1.OCTETS),
        asn1.integer(0, 0x0A),
        asn1.integer(0, 0x0A),
        asn1.integer(1),
        asn1.integer(2),
        asn1.element(0x01, b"\0"),
        asn1.element(0x87, b"objectClass"),
        asn1.element(asn1.SEQUENCE, *(asn1.element(asn1.OCTETS, name.encode()) for name in _WANTED)),
    ),
)
_UNBIND = asn1.element(asn1.SEQUENCE, asn1.integer(2), asn1.element(0x42))


def ask(conversation: Conversation) -> Match | None:
    """Ask for the root DSE, and take leave."""
    conversation.send(_QUESTION)
    match = _answer(conversation.receive(sized(asn1.whole, 6)))
    if match:
        conversation.send(_UNBIND)
    return match


@forgiving
def _answer(data: bytes) -> Match | None:
    if asn1.whole(data) is None:
        return None
    (tag, message), *_ = asn1.elements(data)
    (number, identifier), (operation, body), *_ = asn1.elements(message)
    if (tag, number, identifier) != (asn1.SEQUENCE, asn1.INTEGER, b"\x01") or operation not in (_ENTRY, _DONE):
        return None
    if operation == _DONE:
        (kind, code), (matched, _), (diagnostic, _), *_ = asn1.elements(body)
        if (kind, matched, diagnostic) != (0x0A, asn1.OCTETS, asn1.OCTETS):
            return None
        return Match(
            "ldap", None, None, f"it answers the search of the root DSE with result code {int.from_bytes(code)}"
        )
    (_, name), (_, attributes), *_ = asn1.elements(body)
    return None if name else _told(_attributes(attributes))


def _attributes(data: bytes) -> dict[str, list[str]]:
    found = {}
    for _, attribute in asn1.elements(data):
        (_, name), (_, values), *_ = asn1.elements(attribute)
        found[text(name).lower()] = [text(value) for _, value in asn1.elements(values)]
    return found


def _told(found: dict[str, list[str]]) -> Match:
    vendor = " ".join(found.get("vendorname", []) + found.get("vendorversion", []))
    product, version = named(
        vendor,
        (
            ("389 Directory Server", r"389-Directory/(\d[\w.]*)"),
            ("OpenDJ", r"(?:OpenDJ|ForgeRock|Wren)\D*(\d[\w.]*)?"),
            ("ApacheDS", r"Apache Software Foundation (\d[\w.-]*)?"),
            ("UnboundID Directory Server", r"(?:UnboundID|Ping Identity)\D*(\d[\w.]*)?"),
            ("GLAuth", r"(?i)glauth"),
            ("Samba", r"Samba Team[^(]*\(?(?:Samba )?(\d[\w.]*)?"),
        ),
    )
    if product is None and "OpenLDAProotDSE" in found.get("objectclass", []):
        product = "OpenLDAP"
    if product is None and "forestfunctionality" in found:
        product = "Active Directory"
    facts = [("tls", "offered" if _START_TLS in found.get("supportedextension", []) else "not offered")]
    if found.get("namingcontexts"):
        facts.append(("naming contexts", ", ".join(found["namingcontexts"][:4])))
    return Match("ldap", product, version, "it answers the search of the root DSE with an entry", tuple(facts))


SPEAKER = Speaker("ldap", ports=(389, 636, 1389, 3893), programs=("slapd", "ns-slapd", "glauth", "lldap"), ask=ask)
