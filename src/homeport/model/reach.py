"""Who can connect to a listener: from where, at which address, and why or why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.explanation import Interface
from homeport.model.firewall import Hook, IPNetwork, Ruleset
from homeport.model.snapshot import Listener, Netns


class From(StrEnum):
    """Where clients are."""

    NAMESPACE = "namespace"
    """Processes in the listener's own network namespace, which is not this machine's."""
    MACHINE = "machine"
    """Processes of this machine, in the caller's network namespace."""
    CONTAINERS = "containers"
    """Containers and other network namespaces of this machine, by a bridge or a veth pair."""
    NETWORK = "network"
    """Neighbours on the network of an interface."""
    VPN = "vpn"
    """Peers of a tunnel (tun, WireGuard, PPP …)."""
    ANYWHERE = "anywhere"
    """Whoever has a route to this machine."""


class Answer(StrEnum):
    """Whether a connection is made. `UNKNOWN`: it depends on what is named, or on what cannot be seen."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A network namespace with what decides about packets there; `own`: it is the caller's.

    `listeners` are those in it. `forwards`: the address families that it passes on packets of ("ip", "ip6").
    """

    netns: Netns
    name: str
    ruleset: Ruleset
    listeners: tuple[Listener, ...]
    forwards: frozenset[str]

    @property
    def own(self) -> bool:
        """Whether it is the caller's network namespace."""
        return self.netns.own

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Its interfaces, with their addresses."""
        return self.ruleset.interfaces


class Stop(NamedTuple):
    """The rule that stops a connection, so that another can be put before it.

    `manager`: who wrote the rules, "ufw" or "firewalld", None: nobody known. `place`: family, table and chain. `handle`
    (nftables) or `number` tell the rule, both None for a policy. `port` is the one that the packet has there.
    """

    program: str
    manager: str | None
    place: tuple[str, str, str]
    handle: int | None
    number: int | None
    hook: Hook
    port: int
    own: bool


class Inquiry(NamedTuple):
    """What the kernel is asked about a packet: all by which it may choose the way (ip-rule(8)).

    `incoming` is the interface that it comes in by, None for one of this machine, whose sender may be bound to
    `outgoing` and runs as `uid`.
    """

    destination: IPAddress
    source: IPAddress | None = None
    incoming: str | None = None
    outgoing: str | None = None
    mark: int = 0
    protocol: Protocol | None = None
    source_port: int | None = None
    port: int | None = None
    uid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where clients are, and how their packets come in: into `netns` by `interface` (None: they start there).

    `networks` are those of the interface; `sources` the addresses that clients may have (empty: any).
    """

    kind: From
    name: str
    netns: int | None
    interface: str | None
    networks: tuple[IPNetwork, ...]
    sources: tuple[IPNetwork, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One address tried from one origin.

    `routed`: only clients that send packets for this address by way of this machine get there; neighbours usually
    don't. `connects`: somebody accepts, be it another listener; None: not known. `leaves`: the packets may go on to
    another machine. `why` goes from the client to the listener; `conditions` are what `UNKNOWN` depends on; `stop` is
    the rule that stops the first packet, where one does.
    """

    address: IPAddress
    port: int
    answer: Answer
    connects: bool | None
    routed: bool
    leaves: bool
    why: tuple[Evidence, ...]
    conditions: tuple[str, ...]
    stop: Stop | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What holds for one origin; `way` is the one to use, or, where there is none, the one that comes nearest."""

    origin: Origin
    answer: Answer
    way: Way | None
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Who can connect to one listener."""

    listener: Listener
    netns: str | None
    reached: tuple[Reached, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One way to make a listener reachable from elsewhere: `text` is a command or what to edit; `risk` in a line."""

    kind: str
    text: str
    is_command: bool
    risk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One connection that was tried; `expected` is what was computed for just that.

    `seen`: what came of it, in words; `connected`: whether it was accepted (None: not tried, and `seen` says why).
    """

    origin: str
    protocol: Protocol
    address: IPAddress
    port: int
    expected: Way
    connected: bool | None
    seen: str

    @property
    def agrees(self) -> bool | None:
        """Whether both say the same; None where one of them says nothing."""
        if self.connected is None or self.expected.connects is None:
            return None
        return self.connected is self.expected.connects


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachReport:
    """The answer of `homeport reach`; `reaches` is empty where nothing listens. `summary` answers in sentences."""

    asked: str
    taken_at: datetime
    summary: tuple[str, ...]
    reaches: tuple[Reach, ...]
    advice: tuple[Advice, ...]
    proofs: tuple[Proof, ...]
    limits: tuple[str, ...]

    @property
    def disagrees(self) -> bool:
        """Whether something that was tried went otherwise than computed."""
        return any(one.agrees is False for one in self.proofs)
