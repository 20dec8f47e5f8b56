"""Whether a packet to an address of this machine stays on it: what address translation makes of it, and who is next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.explanation import Interface, Route
from homeport.model.firewall import Action, Hook, IPNetwork, Packet, Ruleset
from homeport.rules.chains import World, traverse
from homeport.rules.firewall import host

_STOPPED = frozenset((Action.DROP, Action.REJECT))
_BETWEEN_NAMESPACES = "veth"


class Led(NamedTuple):
    """Where rules lead a packet: its destination and port then, and the mark by which its route is chosen."""

    address: IPAddress
    port: int
    mark: int


def sent(ruleset: Ruleset, address: IPAddress, port: int, protocol: Protocol) -> frozenset[Led]:
    """Every way that the rules for outgoing packets may lead a connection; its own, where none translates it.

    Where a rule depends on what cannot be told, its destination is among them. What the rules drop goes nowhere.
    """
    address = type(address)(int(address))  # rules know no zones
    source = address if not address.is_loopback or address.version == 6 else type(address)("127.0.0.1")
    return _led(ruleset, _packet(Hook.OUTPUT, address, port, protocol, host(source), ruleset, oif="lo"))


def received(ruleset: Ruleset, address: IPAddress, port: int, protocol: Protocol, source: IPNetwork) -> frozenset[Led]:
    """The same by the rules of another namespace, for a packet that comes in there."""
    return _led(ruleset, _packet(Hook.PREROUTING, address, port, protocol, source, ruleset, iif=None))


def sources(
    ruleset: Ruleset, led: Led, protocol: Protocol, source: IPNetwork, interface: str | None
) -> frozenset[IPNetwork]:
    """As whose a packet goes out by an interface: where its answers go."""
    packet = _packet(Hook.POSTROUTING, led.address, led.port, protocol, source, ruleset, oif=interface)
    ends = traverse(ruleset, [World(packet)])
    return frozenset(one.world.packet.source for one in ends if one.action not in _STOPPED)


def _packet(
    hook: Hook, address: IPAddress, port: int, protocol: Protocol, source: IPNetwork, ruleset: Ruleset,
    *, iif: str | None = "", oif: str | None = "",
) -> Packet:  # fmt: skip
    return Packet(
        hook=hook, protocol=protocol, source=source, destination=address, port=(port, port),
        source_port=ruleset.ephemeral, iif=iif, oif=oif, uid=None, mark=0,
    )  # fmt: skip


def _led(ruleset: Ruleset, packet: Packet) -> frozenset[Led]:
    ends = (one.world.packet for one in traverse(ruleset, [World(packet)]) if one.action not in _STOPPED)
    return frozenset(Led(one.destination, one.port[0], one.mark or 0) for one in ends)


def wires(route: Route, interfaces: Sequence[Interface]) -> tuple[Interface, ...]:
    """The veth(4) pairs by which a packet goes to the next one; empty: it may leave by something else.

    `interfaces` are those of the namespace that it leaves. It must go by a pair, or by a bridge with nothing but such
    in it.
    """
    out = next((one for one in interfaces if one.name == route.interface), None)
    if out is None:
        return ()
    ports: tuple[Interface, ...] = (out,)
    if out.kind == "bridge":
        ports = tuple(one for one in interfaces if one.master is not None and one.master == out.index)
    return ports if all(one.kind == _BETWEEN_NAMESPACES for one in ports) else ()
