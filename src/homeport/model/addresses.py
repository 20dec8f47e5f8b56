"""Addresses and ports."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from homeport.lean import NamedTuple

IPAddress = IPv4Address | IPv6Address
"""An address; an IPv6 one carries its zone (RFC 4007) as `scope_id`."""


class Protocol(StrEnum):
    """Transport protocol."""

    TCP = "tcp"
    UDP = "udp"


class Family(StrEnum):
    """Address family."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Scope(StrEnum):
    """What a bind address means on paper: from where packets can be addressed to it."""

    MACHINE = "machine"
    """Loopback (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3): this machine only, and only its network namespace."""
    LINK = "link"
    """Link-local (RFC 3927, RFC 4291 §2.5.6): neighbours on the same link."""
    PRIVATE = "private"
    """Private, shared or unique-local (RFC 1918, RFC 6598, RFC 4193): the networks that route it."""
    PUBLIC = "public"
    """One address that is globally reachable by the IANA registries."""
    MULTICAST = "multicast"
    """A multicast group (RFC 5771, RFC 4291 §2.7)."""
    EVERY = "every"
    """The unspecified address: every address of every interface of its network namespace."""


class Endpoint(NamedTuple):
    """Protocol + address + port; `address` is None for any one, and for a name; `port` None for an address alone."""

    protocol: Protocol | None
    address: IPAddress | None
    port: int | None
