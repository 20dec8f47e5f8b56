from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from homeport.model.addresses import Protocol
from homeport.model.explanation import Interface, Route
from homeport.model.firewall import Ruleset
from homeport.rules.leaving import Led, received, sent, sources, wires
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
    found = sent(ruleset(), ip_address(address), port, protocol)
    assert {str(one.address) for one in found} == expected


def test_without_rules() -> None:
    assert sent(Ruleset(tables=()), ip_address("127.0.0.1"), 80, Protocol.TCP) == {Led(ip_address("127.0.0.1"), 80, 0)}


ELSEWHERE = """*mangle
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p tcp -m tcp --dport 8084 -j MARK --set-xmark 0x7/0xffffffff
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 198.51.100.7:8080
-A POSTROUTING -o veth0 -j SNAT --to-source 10.88.0.1
COMMIT
"""


def test_the_mark_that_a_rule_writes() -> None:
    rules = Ruleset(tables=tuple(iptables_rules.parse(ELSEWHERE, "ip", "iptables-save")))
    assert sent(rules, ip_address("192.0.2.1"), 8084, Protocol.TCP) == {Led(ip_address("192.0.2.1"), 8084, 7)}


def test_where_the_rules_of_a_neighbour_lead() -> None:
    """By which interface the packet comes in there is not known: both ways count."""
    rules = Ruleset(tables=tuple(iptables_rules.parse(ELSEWHERE, "ip", "iptables-save")))
    here, source = ip_address("10.88.0.5"), ip_network("10.88.0.1/32")
    away = Led(ip_address("198.51.100.7"), 8080, 0)
    assert received(rules, here, 80, Protocol.TCP, source) == {Led(here, 80, 0), away}
    assert received(rules, here, 81, Protocol.TCP, source) == {Led(here, 81, 0)}


def test_as_whose_a_packet_goes_out() -> None:
    rules = Ruleset(tables=tuple(iptables_rules.parse(ELSEWHERE, "ip", "iptables-save")))
    led, own = Led(ip_address("10.88.0.5"), 80, 0), ip_network("192.0.2.1/32")
    assert sources(rules, led, Protocol.TCP, own, "veth0") == {ip_network("10.88.0.1/32")}
    assert sources(rules, led, Protocol.TCP, own, "eth0") == {own}


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
    ("way", "interfaces", "expected"),
    [
        (route("podman0"), (LO, ETH, BRIDGE, PORT), (PORT,)),
        (route("podman0", "10.88.0.1"), (LO, ETH, BRIDGE, PORT), (PORT,)),
        (route("veth0"), (LO, replace(PORT, master=None)), (replace(PORT, master=None),)),
        (route("podman0"), (LO, BRIDGE), ()),
        (route("podman0"), (LO, BRIDGE, PORT, replace(ETH, master=3)), ()),
        (route("podman0"), (LO, BRIDGE, PORT, interface(5, "vxlan0", "vxlan", 3)), ()),
        (route("eth0"), (LO, ETH, BRIDGE, PORT), ()),
        (route("wg0"), (LO, interface(6, "wg0", "wireguard")), ()),
        (route("gone"), (LO,), ()),
    ],
)
def test_wires_between_namespaces(
    way: Route, interfaces: tuple[Interface, ...], expected: tuple[Interface, ...]
) -> None:
    assert wires(way, interfaces) == expected
