from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from typing import Any

import pytest

from homeport.model.explanation import Route
from homeport.system import routing

_ASK = """
import json, sys
from ipaddress import ip_address
from homeport.system import routing
interfaces = {one.name: [sorted(map(str, one.addresses)), [str(each) for each in one.broadcasts]]
              for one in routing.interfaces()}
routes = {}
for text in sys.argv[1:]:
    one = routing.route(ip_address(text))
    source, gateway = (None if each is None else str(each) for each in (one.source, one.gateway))
    routes[text] = [one.kind, one.interface, source, gateway, one.error]
print(json.dumps([interfaces, routes]))
"""


def ip(*words: str) -> Any:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout) if "-j" in words else None


def told_by_ip(*words: str) -> tuple[str | None, str | None, str | None, str | None]:
    (one,) = ip("-j", *words)
    return one.get("type", "unicast"), one.get("dev"), one.get("prefsrc"), one.get("gateway")


def facts(one: Route) -> tuple[str | None, str | None, str | None, str | None]:
    source, gateway = one.source, one.gateway
    return (
        one.kind,
        one.interface,
        None if source is None else str(source),
        None if gateway is None else str(gateway),
    )


@pytest.fixture
def netns() -> Iterator[str]:
    """A namespace with two links: 192.0.2.1/24 on one, a point-to-point one, and odd routes."""
    name = f"hp-explain-{os.getpid()}"
    ip("netns", "add", name)
    try:
        for words in (
            "link set lo up",
            "link add left type veth peer name right",
            "link set left up",
            "link set right up",
            "addr add 192.0.2.1/24 brd 192.0.2.255 dev left",
            "addr add 2001:db8::1/64 dev left nodad",
            "addr add 198.51.100.1 peer 198.51.100.2/32 dev right",
            "route add default via 192.0.2.254",
            "route add unreachable 203.0.113.0/24",
            "route add prohibit 198.18.0.0/15",
            "route add blackhole 100.64.0.0/10",
        ):
            ip("-n", name, *words.split())
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True, timeout=30)


def inside(netns: str, *destinations: str) -> Any:
    done = subprocess.run(
        ["ip", "netns", "exec", netns, sys.executable, "-P", "-c", _ASK, *destinations],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_interfaces_as_ip_has_them() -> None:
    expected = {
        one["ifname"]: {ip_interface(f"{each['local']}/{each['prefixlen']}") for each in one["addr_info"]}
        for one in ip("-j", "addr")
        if not any("address" in each for each in one["addr_info"])  # point-to-point: see the namespace below
    }
    found = {one.name: set(one.addresses) for one in routing.interfaces()}
    assert expected.items() <= found.items()


@pytest.mark.parametrize("text", ["127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "224.0.0.251"])
def test_routes_as_ip_has_them(text: str) -> None:
    assert facts(routing.route(ip_address(text))) == told_by_ip("route", "get", text)


def test_a_namespace_of_its_own(netns: str) -> None:
    destinations = ("127.0.0.1", "192.0.2.1", "192.0.2.7", "192.0.2.255", "8.8.8.8", "2001:db8::7", "198.51.100.2")
    interfaces, routes = inside(netns, *destinations)
    assert set(interfaces) == {"lo", "left", "right"}
    assert {"192.0.2.1/24", "2001:db8::1/64"} < set(interfaces["left"][0])
    assert interfaces["left"][1] == ["192.0.2.255"]
    assert "198.51.100.1/32" in interfaces["right"][0]
    for text in destinations:
        kind, interface, source, gateway, error = routes[text]
        assert error is None
        assert (kind, interface, source, gateway) == told_by_ip("-n", netns, "route", "get", text)


def test_why_there_is_no_route(netns: str) -> None:
    _, routes = inside(netns, "203.0.113.1", "198.18.0.1", "100.64.0.1", "2001:db9::1", "fe80::1%nosuch")
    assert routes["203.0.113.1"][4] == os.strerror(113)  # EHOSTUNREACH
    assert routes["198.18.0.1"][4] == os.strerror(13)  # EACCES
    assert routes["100.64.0.1"][4] == os.strerror(22)  # EINVAL
    assert routes["2001:db9::1"][4] == os.strerror(101)  # ENETUNREACH
    assert "nosuch" in routes["fe80::1%nosuch"][4]


def test_a_zone_chooses_the_interface(netns: str) -> None:
    _, routes = inside(netns, "fe80::7%left", "fe80::7%right")
    assert routes["fe80::7%left"][1] == "left"
    assert routes["fe80::7%right"][1] == "right"


def test_without_rtnetlink_the_same_is_found_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    by_netlink = {one.name: set(one.addresses) for one in routing.interfaces()}
    monkeypatch.delattr(socket, "AF_NETLINK")
    assert routing.missing() is not None
    found = {one.name: set(one.addresses) for one in routing.interfaces()}
    assert {name: some for name, some in by_netlink.items() if some} == {
        name: some for name, some in found.items() if some
    }
    one = routing.route(ip_address("127.0.0.1"))
    assert (one.interface, str(one.source), one.kind, one.error) == ("lo", "127.0.0.1", None, None)


def test_without_rtnetlink_errors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_NETLINK")
    assert routing.route(ip_address("255.255.255.255")).error is not None
