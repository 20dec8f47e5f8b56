"""Whether a packet fits what a rule asks for: yes, no, or maybe, where a field is not known or may be several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.explanation import Interface
from homeport.model.firewall import Hook, IPNetwork, Lookup, Match, Packet, Part

_SYN, _ACK = 2, 16
_OTHER_PROTOCOLS = frozenset(("icmp", "icmpv6", "sctp", "dccp", "esp", "ah", "comp", "udplite", "igmp", "arp"))
_OTHER_HEADERS = frozenset(("rt", "frag", "hbh", "dst", "mh"))
_SENDING = frozenset((Hook.OUTPUT, Hook.POSTROUTING))


class Truth(IntEnum):
    """Kleene's three values, in the order in which `min` is "and" and `max` is "or"."""

    NO = 0
    MAYBE = 1
    YES = 2


class _Absent:
    """The packet has no such field: the rule is left, negated or not (NFT_BREAK)."""


ABSENT = _Absent()
Interfaces = Sequence[Interface]


class _Named(NamedTuple):
    """Names of which a packet has any number at once (the bits of `ct status`)."""

    names: frozenset[str]


Value = tuple[int, int] | str | _Named | _Absent | None
"""A span of numbers of which the packet's is one, a name, or None: not known."""


def truth(match: Match, packet: Packet, interfaces: Interfaces) -> Truth:
    """Whether a match lets the rule go on."""
    lookup = match.lookup
    values = [value(one, packet, interfaces) for one in lookup.fields]
    if ABSENT in values:
        return Truth.NO
    found = _among(lookup, values)
    return Truth(2 - found) if match.negated else found


def matching(lookup: Lookup, packet: Packet, interfaces: Interfaces) -> list[tuple[int, Truth]]:
    """Which items of a map fit, or may."""
    values = [value(one, packet, interfaces) for one in lookup.fields]
    if ABSENT in values:
        return []
    found = ((index, _item(item, values, None)) for index, item in enumerate(lookup.items))
    return [(index, one) for index, one in found if one is not Truth.NO]


def is_local(interfaces: Interfaces, address: IPAddress) -> bool:
    """Whether an address is one of the namespace's own, of which loopback's are 127.0.0.0/8."""
    if address.is_loopback:
        return True
    return any(each.ip == address for one in interfaces for each in one.addresses)


def _among(lookup: Lookup, values: Sequence[Value]) -> Truth:
    best = Truth.NO
    for item in lookup.items:
        best = max(best, _item(item, values, lookup.mask))
        if best is Truth.YES:
            return best
    if best is Truth.MAYBE and len(values) == 1 and lookup.mask is None and _covered(lookup.items, values[0]):
        return Truth.YES
    return best


def _item(item: Sequence[Part], values: Sequence[Value], mask: int | None) -> Truth:
    worst = Truth.YES
    for part, one in zip(item, values, strict=False):
        worst = min(worst, _part(part, one, mask))
        if worst is Truth.NO:
            break
    return worst


def _part(part: Part, one: Value, mask: int | None) -> Truth:
    if one is None:
        return Truth.MAYBE
    if isinstance(part, str):
        if isinstance(one, _Named):
            return Truth.YES if part in one.names else Truth.NO
        if not isinstance(one, str):
            return Truth.MAYBE
        fits = one.startswith(part[:-1]) if part.endswith("*") and not part.endswith("\\*") else one == _plain(part)
        return Truth.YES if fits else Truth.NO
    if not isinstance(one, tuple) or isinstance(one, _Named):
        return Truth.MAYBE
    low, high = one
    if mask is not None:
        if low != high:
            return Truth.MAYBE
        low = high = low & mask
    if part[0] <= low and high <= part[1]:
        return Truth.YES
    return Truth.NO if high < part[0] or part[1] < low else Truth.MAYBE


def _plain(name: str) -> str:
    return name[:-2] + "*" if name.endswith("\\*") else name


def _covered(items: Sequence[Sequence[Part]], one: Value) -> bool:
    """Whether several spans together hold all that the packet's may be."""
    if not isinstance(one, tuple) or isinstance(one, _Named):
        return False
    low, high = one
    for first, last in sorted(part for item in items for part in item if not isinstance(part, str)):
        if first > low:
            return False
        low = max(low, last + 1)
        if low > high:
            return True
    return False


def value(field: str, packet: Packet, interfaces: Interfaces) -> Value:
    """What a packet has in a field, as nft(8) names fields."""
    reader = _READERS.get(field)
    if packet.discovery is not None and (reader is None or field == "l4proto"):
        return _of_discovery(field, packet.discovery, packet)
    if reader is not None:
        return reader(packet, interfaces)
    kind, _, key = field.partition(" ")
    if kind in ("ip", "ip6"):
        return ABSENT if kind != packet.family else _of_header(key, packet)
    if kind in ("tcp", "udp", "th"):
        return ABSENT if kind not in ("th", packet.protocol.value) else _of_transport(key, packet)
    if kind == "ct" and packet.state in ("untracked", "invalid"):
        return ABSENT
    if kind in _OTHER_PROTOCOLS or kind in _OTHER_HEADERS:
        return ABSENT
    return None


def _of_discovery(field: str, kind: str, packet: Packet) -> Value:
    if field in ("l4proto", "ip6 nexthdr"):
        return "ipv6-icmp"
    if field == "icmpv6 type":
        return kind
    if field in ("ip6 saddr", "ip6 daddr"):
        return _of_header(field.partition(" ")[2], packet)
    return ABSENT if field.partition(" ")[0] in ("ip", "tcp", "udp", "th", "icmp", *_OTHER_HEADERS) else None


def _of_header(key: str, packet: Packet) -> Value:
    if key == "saddr":
        return _span(packet.source)
    if key == "daddr":
        return int(packet.destination), int(packet.destination)
    if key in ("protocol", "nexthdr"):
        return packet.protocol.value
    return (packet.destination.version, packet.destination.version) if key == "version" else None


def _of_transport(key: str, packet: Packet) -> Value:
    if key in ("sport", "dport"):
        return packet.source_port if key == "sport" else packet.port
    if key == "flags" and packet.protocol is Protocol.TCP:
        flags = _SYN | _ACK if packet.reply else _SYN
        return flags, flags
    return None


def _span(network: IPNetwork) -> tuple[int, int]:
    return int(network.network_address), int(network.broadcast_address)


def _interface_type(name: str | None) -> Value:
    return "loopback" if name == "lo" else None


def _sender(packet: Packet, _: Interfaces) -> Value:
    """The sender is known to the kernel where the packet still belongs to its socket."""
    if packet.hook not in _SENDING or packet.iif:
        return ABSENT
    return None if packet.uid is None else (packet.uid, packet.uid)


def _packet_type(packet: Packet, interfaces: Interfaces) -> Value:
    return None if _kind(packet.destination, interfaces) in ("broadcast", "multicast") else "host"


def _kind(address: IPAddress, interfaces: Interfaces) -> str:
    if address.is_multicast:
        return "multicast"
    if is_local(interfaces, address):
        return "local"
    return "broadcast" if any(address in one.broadcasts for one in interfaces) else "unicast"


def _destination_kind(packet: Packet, interfaces: Interfaces) -> Value:
    return _kind(packet.destination, interfaces)


def _source_kind(packet: Packet, interfaces: Interfaces) -> Value:
    if packet.source.num_addresses > 1:
        return None
    return _kind(packet.source.network_address, interfaces)


def _destination_kind_here(packet: Packet, interfaces: Interfaces) -> Value:
    """Local only if it is an address of the very interface by which the packet comes in."""
    kind = _kind(packet.destination, interfaces)
    if kind != "local" or packet.iif is None:
        return None if packet.iif is None and kind == "local" else kind
    mine = (each.ip for one in interfaces if one.name == packet.iif for each in one.addresses)
    return "local" if packet.destination in mine else "unicast"


def _way_back(packet: Packet, interfaces: Interfaces) -> Value:
    """Whether an answer would leave by the interface that the packet came in by, as far as its networks tell."""
    if packet.iif is None:
        return None
    if packet.iif == "lo":
        return "exists"
    for one in interfaces:
        for each in one.addresses if one.name == packet.iif else ():
            if packet.source.version == each.version and _within(packet.source, each.network):
                return "exists"
    return None


def _within(inner: IPNetwork, outer: IPNetwork) -> bool:
    low, high = _span(outer)
    first, last = _span(inner)
    return low <= first and last <= high


def _connection(of: Callable[[Packet], Value]) -> Callable[[Packet, Interfaces], Value]:
    return lambda packet, _: ABSENT if packet.state in ("untracked", "invalid") else of(packet)


def _asked_address(packet: Packet) -> Value:
    """What conntrack keeps of the request: an answer has that as its source."""
    own = packet.source.network_address if packet.reply else packet.destination
    number = int(own if packet.asked is None else packet.asked[0])
    return number, number


def _asked_port(packet: Packet) -> Value:
    own = packet.source_port if packet.reply else packet.port
    return own if packet.asked is None else packet.asked[1]


_READERS: dict[str, Callable[[Packet, Interfaces], Value]] = {
    "iifname": lambda packet, _: packet.iif,
    "oifname": lambda packet, _: packet.oif,
    "iif": lambda packet, _: packet.iif,
    "oif": lambda packet, _: packet.oif,
    "iiftype": lambda packet, _: _interface_type(packet.iif),
    "oiftype": lambda packet, _: _interface_type(packet.oif),
    "l4proto": lambda packet, _: packet.protocol.value,
    "nfproto": lambda packet, _: "ipv4" if packet.family == "ip" else "ipv6",
    "protocol": lambda packet, _: packet.family,
    "mark": lambda packet, _: None if packet.mark is None else (packet.mark, packet.mark),
    "skuid": _sender,
    "pkttype": _packet_type,
    "ct state": lambda packet, _: packet.state,
    "ct status": _connection(lambda packet: _Named(packet.status)),
    "ct direction": _connection(lambda packet: "reply" if packet.reply else "original"),
    **{f"ct original {key}": _connection(_asked_address) for key in ("daddr", "ip daddr", "ip6 daddr")},
    "ct original proto-dst": _connection(_asked_port),
    "fib daddr type": _destination_kind,
    "fib saddr type": _source_kind,
    "fib daddr . iif type": _destination_kind_here,
    "fib saddr . iif oif": _way_back,
    "fib saddr . mark . iif oif": _way_back,
}
