from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.model.addresses import IPAddress, Scope
from homeport.model.explanation import Interface
from homeport.rules.addresses import blocks, embedded, neighbourhood, notes, owners, scope, spelled


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("127.0.0.1", ["127.0.0.0/8"]),
        ("0.0.0.0", ["0.0.0.0/32", "0.0.0.0/8"]),
        ("0.1.2.3", ["0.0.0.0/8"]),
        ("10.1.2.3", ["10.0.0.0/8"]),
        ("172.31.255.255", ["172.16.0.0/12"]),
        ("172.32.0.0", []),
        ("192.0.0.1", ["192.0.0.0/29", "192.0.0.0/24"]),
        ("192.0.0.9", ["192.0.0.9/32", "192.0.0.0/24"]),
        ("192.0.0.171", ["192.0.0.171/32", "192.0.0.0/24"]),
        ("192.88.99.2", ["192.88.99.2/32", "192.88.99.0/24"]),
        ("255.255.255.255", ["255.255.255.255/32", "240.0.0.0/4"]),
        ("8.8.8.8", []),
        ("224.0.0.1", []),
        ("::", ["::/128"]),
        ("::1", ["::1/128"]),
        ("::2", []),
        ("::ffff:8.8.8.8", ["::ffff:0:0/96"]),
        ("::ffff:127.0.0.1", ["::ffff:0:0/96", "127.0.0.0/8"]),
        ("64:ff9b::1.2.3.4", ["64:ff9b::/96"]),
        ("64:ff9b:1::1", ["64:ff9b:1::/48"]),
        ("100::1", ["100::/64"]),
        ("100:0:0:1::1", ["100:0:0:1::/64"]),
        ("2001:1::1", ["2001:1::1/128", "2001::/23"]),
        ("2001:0:1::1", ["2001::/32", "2001::/23"]),
        ("2001:db8::1", ["2001:db8::/32"]),
        ("3fff::1", ["3fff::/20"]),
        ("5f00::1", ["5f00::/16"]),
        ("2002:7f00:1::", ["2002::/16"]),
        ("fd00::1", ["fc00::/7"]),
        ("fe80::1%eth0", ["fe80::/10"]),
        ("2606:4700::1111", []),
    ],
)
def test_the_rows_that_hold_an_address_most_specific_first(text: str, networks: list[str]) -> None:
    assert [one.network for one in blocks(ip_address(text))] == networks


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1", ["RFC 1122", "namespace"]),
        ("127.9.9.9", ["macOS"]),
        ("127.0.0.53", ["systemd-resolved"]),
        ("::ffff:127.0.0.53", ["stands for 127.0.0.53", "systemd-resolved", "RFC 1122"]),
        ("::1", ["RFC 4291 §2.5.3"]),
        ("0.0.0.0", ["every IPv4 address", "127.0.0.1"]),
        ("::", ["IPV6_V6ONLY", "::1"]),
        ("255.255.255.255", ["RFC 919"]),
        ("192.168.1.7", ["RFC 1918"]),
        ("100.64.1.1", ["RFC 6598", "Tailscale"]),
        ("169.254.169.254", ["RFC 3927", "metadata"]),
        ("224.0.0.251", ["group", "RFC 5771", "multicast DNS"]),
        ("239.255.255.250", ["RFC 2365", "SSDP"]),
        ("ff02::fb", ["this link", "multicast DNS"]),
        ("ff02::1:ff00:1", ["solicited-node"]),
        ("ff0f::1", ["not assigned"]),
        ("fe80::1", ["zone"]),
        ("::1%lo", ["says nothing"]),
        ("fec0::1", ["RFC 3879"]),
        ("fc00::1", ["never been defined"]),
        ("64:ff9b::8.8.8.8", ["8.8.8.8", "NAT64"]),
        ("2002:c000:201::1", ["192.0.2.1", "RFC 3056"]),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", ["Teredo", "192.0.2.45"]),
        ("::1.2.3.4", ["IPv4-compatible", "1.2.3.4"]),
    ],
)
def test_what_the_standards_say(text: str, parts: list[str]) -> None:
    said = "\n".join(notes(ip_address(text)))
    for part in parts:
        assert part in said


def test_nothing_is_said_of_ordinary_addresses() -> None:
    assert notes(ip_address("8.8.8.8")) == ()
    assert notes(ip_address("2606:4700::1111")) == ()
    assert notes(ip_address("fe80::1%eth0")) == ()


@given(st.ip_addresses())
def test_every_address_has_an_answer(address: IPAddress) -> None:
    for one in blocks(address):
        inside = embedded(address)
        network = ip_network(one.network)
        assert address in network or (inside is not None and inside in network)
    assert all(text.isprintable() for text in notes(address))
    assert ip_address(spelled(address)) == address


def test_mapped_addresses_are_spelled_with_the_ipv4_address() -> None:
    assert spelled(IPv6Address("::ffff:7f00:1")) == "::ffff:127.0.0.1"
    assert spelled(IPv6Address("fe80::1%eth0")) == "fe80::1%eth0"
    assert spelled(IPv4Address("1.2.3.4")) == "1.2.3.4"


LO = Interface(index=1, name="lo", addresses=(ip_interface("127.0.0.1/8"), ip_interface("::1/128")), broadcasts=())
ETH = Interface(
    index=2,
    name="eth0",
    addresses=(ip_interface("192.0.2.2/24"), ip_interface("fe80::1/64")),
    broadcasts=(IPv4Address("192.0.2.255"),),
)
WLAN = Interface(index=3, name="wlan0", addresses=(ip_interface("fe80::1/64"),), broadcasts=())
ALL = (LO, ETH, WLAN)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("127.0.0.1", ("lo",)),
        ("127.0.0.2", ()),
        ("::ffff:127.0.0.1", ("lo",)),
        ("192.0.2.2", ("eth0",)),
        ("192.0.2.3", ()),
        ("fe80::1", ("eth0", "wlan0")),
        ("fe80::1%wlan0", ("wlan0",)),
        ("fe80::1%2", ("eth0",)),
        ("fe80::1%nosuch", ()),
    ],
)
def test_which_interfaces_have_an_address(text: str, names: tuple[str, ...]) -> None:
    assert owners(ip_address(text), ALL) == names


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("192.0.2.255", "broadcast address of 192.0.2.0/24"),
        ("192.0.2.0", "network 192.0.2.0/24 itself"),
        ("192.0.2.77", "neighbour"),
        ("127.0.0.77", "all of which is this machine"),
        ("fe80::77%wlan0", "neighbour"),
    ],
)
def test_what_an_address_is_in_the_networks_of_this_machine(text: str, part: str) -> None:
    (one,) = neighbourhood(ip_address(text), ALL)
    assert part in one.text
    assert one.source.startswith("interface ")


def test_own_and_foreign_addresses_are_nobodys_neighbours() -> None:
    assert neighbourhood(ip_address("192.0.2.2"), ALL) == ()
    assert neighbourhood(ip_address("8.8.8.8"), ALL) == ()
    assert len(neighbourhood(ip_address("fe80::77"), ALL)) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", Scope.MACHINE),
        ("8.8.8.8", Scope.PUBLIC),
        ("::ffff:8.8.8.8", Scope.PUBLIC),
        ("::ffff:10.0.0.1", Scope.PRIVATE),
        ("192.0.0.8", Scope.PRIVATE),
        ("192.0.0.9", Scope.PUBLIC),
        ("5f00::1", Scope.PRIVATE),
        ("3fff::1", Scope.PRIVATE),
        ("2606:4700::1111", Scope.PUBLIC),
        ("fe80::1%eth0", Scope.LINK),
        ("ff02::1", Scope.MULTICAST),
        ("::", Scope.EVERY),
    ],
)
def test_the_scope_agrees_with_the_registry(text: str, expected: Scope) -> None:
    if text == "192.0.0.9" and not ip_address(text).is_global:  # Python before 3.11.10 and 3.12.4
        expected = Scope.PRIVATE
    assert scope(ip_address(text)) is expected
