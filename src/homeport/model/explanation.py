"""What an address and a port mean, on paper and on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface

from homeport.model.addresses import Endpoint, Family, IPAddress, Scope
from homeport.model.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A row of an IANA special-purpose address registry (RFC 6890 as updated by RFC 8190); None: N/A there.

    `allocated` and `terminated` are months as the registry has them (`1981-09`); `footnote` is the registry's own.
    """

    network: str
    name: str
    references: tuple[str, ...]
    allocated: str | None
    source: bool | None
    destination: bool | None
    forwardable: bool | None
    globally_reachable: bool | None
    reserved_by_protocol: bool | None
    terminated: str | None = None
    footnote: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface with its addresses, each with the length of its network, and their broadcast addresses.

    `kind`: "veth", "bridge", "wireguard" … None: hardware, loopback, or not told. `master`: index of the bridge or bond
    that it is part of; `peer`: of the other end of a veth pair, in that one's namespace, which this one numbers
    `peer_netns` (None: this one itself, or not told). `up`: None where not told.
    """

    index: int | None
    name: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...]
    broadcasts: tuple[IPAddress, ...]
    kind: str | None = None
    master: int | None = None
    peer: int | None = None
    peer_netns: int | None = None
    up: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What the kernel answers when asked for a route (rtnetlink(7), RTM_GETROUTE), or why it gives none."""

    destination: IPAddress
    kind: str | None
    interface: str | None
    source: IPAddress | None
    gateway: IPAddress | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One address that a name gives here, in a client's order, and who said so (file:line, or resolver)."""

    name: str
    address: IPAddress
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressExplanation:
    """An address on paper (`scope`, `blocks`, most specific first, `notes` with their RFC) and here.

    `interfaces` are the local interfaces that own the address; `routes` what the kernel would do to reach it;
    `settings` the sysctls that matter, by name; `resolutions` what the typed name, or `localhost`, gives here;
    `here` what else this machine's own configuration says about the address.
    """

    address: IPAddress
    family: Family
    scope: Scope
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]
    interfaces: tuple[str, ...]
    routes: tuple[Route, ...]
    settings: dict[str, str]
    resolutions: tuple[Resolution, ...]
    here: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredService:
    """A row of the IANA Service Name and Transport Protocol Port Number Registry (RFC 6335)."""

    name: str
    protocol: str
    description: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What developers' tools are known to use a port for, though IANA may say otherwise."""

    program: str
    what: str


class PortRange(StrEnum):
    """RFC 6335 §6."""

    SYSTEM = "system"
    USER = "user"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortExplanation:
    """A port on paper and here. `ephemeral` is this kernel's ip_local_port_range (low, high), both ends included.

    `reserved`: it stands in ip_local_reserved_ports. `privileged`: below ip_unprivileged_port_start. `browser_refuses`:
    a bad port of the Fetch standard. Each is None where this machine cannot tell.
    """

    port: int
    range: PortRange
    services: tuple[RegisteredService, ...]
    registry_date: date
    habits: tuple[Habit, ...]
    ephemeral: tuple[int, int] | None
    in_ephemeral: bool | None
    reserved: bool | None
    privileged: bool | None
    unprivileged_start: int | None
    browser_refuses: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer of `homeport explain`: what was typed, what it stands for, and what both halves mean.

    `asked` is what was typed without passwords and queries, fit to be shown and to be asked again; `notes` say how it
    was read where that is not obvious. Where only a port was asked for, `addresses` are those of `localhost`.
    """

    asked: str
    endpoint: Endpoint
    name: str | None
    addresses: tuple[AddressExplanation, ...]
    port: PortExplanation | None
    limits: tuple[str, ...]
    notes: tuple[str, ...] = ()
