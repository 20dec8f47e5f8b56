"""What the kernel's packet filter does with a packet, and the rules that say so.

The rules of nftables and of iptables (legacy) come in one shape: tables of chains of rules of statements. What a
program does not understand is an `Opaque` statement, so that it is never taken for consent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.explanation import Interface

IPNetwork = IPv4Network | IPv6Network
EPHEMERAL = (32768, 60999)
"""The ip_local_port_range of Linux where nobody set another (ip(7))."""


class Action(StrEnum):
    """What becomes of a packet. `UNKNOWN`: it may pass or not; the conditions say what it depends on."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    UNKNOWN = "unknown"


class Hook(StrEnum):
    """Where base chains are called (nft(8), "Address families")."""

    INGRESS = "ingress"
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"
    EGRESS = "egress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """The first packet of a connection, or (`reply`) the first answer.

    `source` is a network where the sender may be any of it; `source_port` and `port` are spans, both ends included.
    `iif`, `oif`: names of the interfaces, "" where there is none at that hook, None where not known. `state` is that of
    conntrack ("new", "established", "untracked", "invalid"), `status` its status bits ("dnat", "snat"). `uid`: the
    sender's, where it is a process of this machine. `asked`: the address and port before they were translated, None
    where they were not. `discovery`: the type of ICMPv6, where it is no packet of a connection but one by which
    neighbours find each other (RFC 4861). None elsewhere: not known.
    """

    hook: Hook
    protocol: Protocol
    source: IPNetwork
    destination: IPAddress
    port: tuple[int, int]
    source_port: tuple[int, int] = (1024, 65535)
    iif: str | None = ""
    oif: str | None = ""
    state: str = "new"
    status: frozenset[str] = frozenset()
    uid: int | None = None
    mark: int | None = 0
    reply: bool = False
    asked: tuple[IPAddress, tuple[int, int]] | None = None
    discovery: str | None = None

    @property
    def family(self) -> str:
        """The address family as rule sets name it: "ip" or "ip6"."""
        return "ip" if self.destination.version == 4 else "ip6"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a rule set does with a packet, and by which rule.

    `rule` is the rule's text as nft(8) or iptables(8) prints it, None where a policy decides or nothing is in the way;
    `family`, `table`, `chain` and `handle` (nftables: the rule's handle; None for iptables) name it. `reject_with` is
    what a refused client gets. `conditions`: on what it depends, where that cannot be told. `packet`: how the packet
    looks in the end, its destination translated. `program`: who told the rules (`Table.source`). `answering`: it is the
    first answer that does not get back.
    """

    action: Action
    rule: str | None
    family: str | None
    table: str | None
    chain: str | None
    handle: int | None
    reject_with: str | None
    evidence: tuple[Evidence, ...]
    conditions: tuple[str, ...]
    packet: Packet
    program: str | None = None
    answering: bool = False


# --- rule sets -------------------------------------------------------------------------------------------------------

Part = tuple[int, int] | str
"""One alternative of a field: a span of numbers, both ends included, or a name; a name that ends in `*` is a prefix."""


class Lookup(NamedTuple):
    """Whether a packet's `fields` are among `items` (each as long as `fields`).

    Fields are named as nft(8) does: "ip saddr", "tcp dport", "iifname", "ct state" … `mask`, where not None, is laid
    over the (only, numeric) field first.
    """

    fields: tuple[str, ...]
    items: tuple[tuple[Part, ...], ...]
    mask: int | None = None


class Match(NamedTuple):
    """Goes on with the rule where the lookup succeeds, or fails if `negated`."""

    lookup: Lookup
    negated: bool
    text: str


class Verdict(NamedTuple):
    """`kind`: accept, drop, continue, return, jump or goto; the last two to the chain `target`."""

    kind: str
    target: str | None = None


class VerdictMap(NamedTuple):
    """The verdict of the first of `lookup.items` that fits, from `verdicts`, one each."""

    lookup: Lookup
    verdicts: tuple[Verdict, ...]
    text: str


class Reject(NamedTuple):
    """Ends with an answer to the sender: `answer` as nft writes it ("tcp reset", "icmp port-unreachable")."""

    answer: str


class Translate(NamedTuple):
    """Network address translation; `kind`: dnat, redirect, snat or masquerade.

    `addresses` None: left as it is (redirect: the incoming interface's own); `ports` None: left. Spans are pools.
    `family`: "ip", "ip6", or None for whichever the packet has. `base`: the port that becomes the first of `ports`,
    and so on with those after it; None: any of them is taken.
    """

    kind: str
    addresses: tuple[IPAddress, IPAddress] | None
    ports: tuple[int, int] | None
    text: str
    family: str | None = None
    base: int | None = None


class TranslateMap(NamedTuple):
    """The translation of the first of `lookup.items` that fits, from `translations`, one each; else none."""

    lookup: Lookup
    translations: tuple[Translate, ...]
    text: str


class SetMark(NamedTuple):
    """Sets the packet's mark to `(mark & keep) ^ flip`; both None: to what cannot be told."""

    keep: int | None
    flip: int | None


class Untrack(NamedTuple):
    """Keeps conntrack from this packet (`notrack`)."""


class Maybe(NamedTuple):
    """Goes on or not, by what no packet tells (a rate, a quota, a time, chance), or by what is not understood."""

    text: str


class Opaque(NamedTuple):
    """What is not understood, and may well be a verdict of its own."""

    text: str


Statement = Match | Verdict | VerdictMap | Reject | Translate | TranslateMap | SetMark | Untrack | Maybe | Opaque


class Rule(NamedTuple):
    """A rule; `number` counts from 1 in its chain."""

    text: str
    handle: int | None
    number: int
    statements: tuple[Statement, ...]


class Chain(NamedTuple):
    """A chain; `hook` None: come to by jumps only. `devices`: of the hooks ingress and egress; None: not told."""

    name: str
    kind: str | None
    hook: Hook | None
    priority: int
    policy: Action
    devices: tuple[str, ...] | None
    rules: tuple[Rule, ...]


class Table(NamedTuple):
    """A table of a family ("ip", "ip6", "inet", "netdev" …); `source` is the program that told it."""

    family: str
    name: str
    source: str
    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """All rules of one network namespace, with its interfaces and `ephemeral`, its ip_local_port_range.

    `complete`: nothing is missing, so that silence is consent; else `limits` say in a line each what could not be read.
    """

    tables: tuple[Table, ...]
    interfaces: tuple[Interface, ...] = ()
    ephemeral: tuple[int, int] = EPHEMERAL
    complete: bool = True
    limits: tuple[str, ...] = ()
