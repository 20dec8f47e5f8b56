from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest

from homeport.model.addresses import Protocol
from homeport.model.explanation import Interface, Route
from homeport.model.firewall import Ruleset
from homeport.rules.leaving import destinations, next_door
from homeport.wire import iptables_rules

RULES = """*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:AWAY - [0:0]
-A OUTPUT -p tcp -m tcp --dport 8080 -j DNAT --to-destination 198.51.100.7:80
-A OUTPUT -d 127.0.0.9/32 -p tcp -j AWAY
-A OUTPUT -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.1:5353
-A OUTPUT -p tcp -m tcp --dport 8081 -m statistic --mode random --probability 0.5 -j DNAT --to-destination 198.51.100.8
-A OUTPUT -p tcp -m tcp --dport 8082 -j DNAT --to-destination 198.51.100.8-198.51.100.10
-A AWAY -m owner --uid-owner 4242 -j DNAT --to-destination 198.51.100.9
COMMIT
*filter
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p tcp -m tcp --dport 8083 -j DROP
COMMIT
"""


def ruleset() -> Ruleset:
    return Ruleset(tables=tuple(iptables_rules.parse(RULES, "ip", "iptables-save")))


@pytest.mark.parametrize(
    ("address", "port", "protocol", "expected"),
    [
        ("127.0.0.1", 80, Protocol.TCP, {"127.0.0.1"}),
        ("127.0.0.1", 8080, Protocol.TCP, {"198.51.100.7"}),
        ("192.0.2.1", 8080, Protocol.TCP, {"198.51.100.7"}),
        ("127.0.0.1", 8080, Protocol.UDP, {"127.0.0.1"}),
        ("127.0.0.9", 80, Protocol.TCP, {"127.0.0.9", "198.51.100.9"}),
        ("192.0.2.1", 53, Protocol.UDP, {"127.0.0.1"}),
        ("127.0.0.1", 8081, Protocol.TCP, {"127.0.0.1", "198.51.100.8"}),
        ("127.0.0.1", 8082, Protocol.TCP, {"198.51.100.8", "198.51.100.10"}),
        ("127.0.0.1", 8083, Protocol.TCP, set()),
        ("::1", 8080, Protocol.TCP, {"::1"}),
        ("fe80::1%eth0", 8080, Protocol.TCP, {"fe80::1"}),
    ],
)
def test_where_rules_lead(address: str, port: int, protocol: Protocol, expected: set[str]) -> None:
    found = destinations(ruleset(), ip_address(address), port, protocol)
    assert {str(one) for one in found} == expected


def test_without_rules() -> None:
    assert destinations(Ruleset(tables=()), ip_address("127.0.0.1"), 80, Protocol.TCP) == {ip_address("127.0.0.1")}


def interface(index: int, name: str, kind: str | None, master: int | None = None) -> Interface:
    addresses = (ip_interface("10.88.0.1/16"),) if name == "podman0" else ()
    return Interface(index=index, name=name, addresses=addresses, broadcasts=(), kind=kind, master=master)


THERE = ip_address("10.88.0.5")
LO, ETH = interface(1, "lo", None), interface(2, "eth0", None)
BRIDGE, PORT = interface(3, "podman0", "bridge"), interface(4, "veth0", "veth", 3)


def route(device: str, gateway: str | None = None) -> Route:
    via = None if gateway is None else ip_address(gateway)
    return Route(destination=THERE, kind="unicast", interface=device, source=None, gateway=via, error=None)


@pytest.mark.parametrize(
    ("way", "interfaces", "neighbours", "expected"),
    [
        (route("podman0"), (LO, ETH, BRIDGE, PORT), {THERE}, True),
        (route("veth0"), (LO, replace(PORT, master=None)), {THERE}, True),
        (route("podman0"), (LO, ETH, BRIDGE, PORT), set(), False),
        (route("podman0", "10.88.0.1"), (LO, ETH, BRIDGE, PORT), {THERE}, False),
        (route("podman0"), (LO, BRIDGE), {THERE}, False),
        (route("podman0"), (LO, BRIDGE, PORT, replace(ETH, master=3)), {THERE}, False),
        (route("podman0"), (LO, BRIDGE, PORT, interface(5, "vxlan0", "vxlan", 3)), {THERE}, False),
        (route("eth0"), (LO, ETH, BRIDGE, PORT), {THERE}, False),
        (route("wg0"), (LO, interface(6, "wg0", "wireguard")), {THERE}, False),
        (route("gone"), (LO,), {THERE}, False),
    ],
)
def test_who_is_next_door(
    way: Route, interfaces: tuple[Interface, ...], neighbours: set[object], expected: bool
) -> None:
    assert next_door(way, interfaces, neighbours) is expected  # type: ignore[arg-type]
