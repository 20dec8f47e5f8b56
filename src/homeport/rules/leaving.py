"""Whether a packet to an address of this machine stays on it: what address translation makes of it, and who is next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.explanation import Interface, Route
from homeport.model.firewall import Action, Hook, Packet, Ruleset
from homeport.rules.chains import World, traverse
from homeport.rules.firewall import host

_STOPPED = frozenset((Action.DROP, Action.REJECT))
_BETWEEN_NAMESPACES = "veth"


def destinations(ruleset: Ruleset, address: IPAddress, port: int, protocol: Protocol) -> frozenset[IPAddress]:
    """Every address that the rules for outgoing packets may lead a connection to; its own, where none translates it.

    Where a rule depends on what cannot be told, its destination is among them. What the rules drop goes nowhere.
    """
    address = type(address)(int(address))  # rules know no zones
    source = address if not address.is_loopback or address.version == 6 else type(address)("127.0.0.1")
    packet = Packet(
        hook=Hook.OUTPUT,
        protocol=protocol,
        source=host(source),
        destination=address,
        port=(port, port),
        source_port=ruleset.ephemeral,
        oif="lo",
        uid=None,
        mark=0,
    )
    ends = traverse(ruleset, [World(packet)])
    return frozenset(one.world.packet.destination for one in ends if one.action not in _STOPPED)


def next_door(route: Route, interfaces: Sequence[Interface], neighbours: Iterable[IPAddress]) -> bool:
    """Whether an address is one of another namespace of this machine, and the way there leads to nobody else.

    `interfaces` are those of the namespace that the packet leaves, `neighbours` the addresses of the others. The way
    must be a veth(4) pair, or a bridge with nothing but such in it, without a router between.
    """
    if route.gateway is not None or route.destination not in set(neighbours):
        return False
    out = next((one for one in interfaces if one.name == route.interface), None)
    if out is None or out.kind != "bridge":
        return out is not None and out.kind == _BETWEEN_NAMESPACES
    ports = [one for one in interfaces if one.master is not None and one.master == out.index]
    return bool(ports) and all(one.kind == _BETWEEN_NAMESPACES for one in ports)
