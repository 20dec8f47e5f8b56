from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from homeport.errors import AddressError, HomeportError
from homeport.model.addresses import Scope
from homeport.model.explanation import PortRange, Resolution
from homeport.operations.documents import explanation
from homeport.operations.explain import explain
from homeport.system import resolving, routing, sysctl

Fake = Callable[..., None]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """`resolver("name", "1.2.3.4", …)`: names have these addresses; any other name has none."""
    known: dict[str, resolving.Answer] = {}

    def resolve(name: str, seconds: float = 2) -> resolving.Answer:
        return known.get(name, resolving.Answer((), "Name or service not known"))

    def add(name: str, *addresses: str) -> None:
        found = tuple(Resolution(name=name, address=ip_address(one), source="test") for one in addresses)
        known[name] = resolving.Answer(found, None)

    monkeypatch.setattr(resolving, "resolve", resolve)
    return add


def test_loopback_and_a_port() -> None:
    one = explain("127.0.0.1:62893")
    (address,) = one.addresses
    assert address.scope is Scope.MACHINE
    assert address.interfaces == ("lo",)
    assert address.blocks[0].network == "127.0.0.0/8"
    assert [(route.kind, route.interface) for route in address.routes] == [("local", "lo")]
    assert address.settings["net.ipv4.conf.all.route_localnet"] in "01"
    assert address.resolutions
    assert all(each.name == "localhost" for each in address.resolutions)
    assert one.port is not None
    assert one.port.range is PortRange.DYNAMIC
    assert one.port.services == ()
    assert one.port.habits[0].program == "homeport"
    assert one.port.ephemeral == sysctl.pair("net", "ipv4", "ip_local_port_range")
    assert one.port.privileged is False
    assert one.limits == ()


def test_a_port_alone_is_explained_with_localhost() -> None:
    one = explain("22")
    assert one.endpoint.address is None
    assert one.name is None
    assert all(each.address.is_loopback for each in one.addresses)
    assert one.port is not None
    assert one.port.browser_refuses
    assert one.port.services[0].name == "ssh"
    start = sysctl.number("net", "ipv4", "ip_unprivileged_port_start")
    assert start is not None
    assert one.port.privileged is (start > 22)


def test_an_address_alone_has_no_port() -> None:
    assert explain("8.8.8.8").port is None


@pytest.mark.parametrize(
    ("text", "destination"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("::ffff:127.0.0.1", "127.0.0.1"), ("::ffff:0.0.0.0", "127.0.0.1")],
)
def test_the_route_is_that_of_where_packets_really_go(text: str, destination: str) -> None:
    (address,) = explain(text).addresses
    assert [(str(one.destination), one.kind) for one in address.routes] == [(destination, "local")]


def test_names_in_the_order_of_the_resolver(resolver: Fake) -> None:
    resolver("shop.test", "2001:db8::1", "192.0.2.9")
    one = explain("http://shop.test/")
    assert [str(each.address) for each in one.addresses] == ["2001:db8::1", "192.0.2.9"]
    assert [str(each.address) for each in one.addresses[0].resolutions] == ["2001:db8::1", "192.0.2.9"]
    assert one.name == "shop.test"
    assert one.endpoint.port == 80


def test_a_name_without_address_is_refused_with_a_way_on(resolver: Fake) -> None:
    with pytest.raises(HomeportError, match="gives no address here") as caught:
        explain("nosuch.test:80")
    assert caught.value.remedy == "homeport explain :80 explains the port alone"
    with pytest.raises(HomeportError):
        explain("nosuch.test")


def test_of_very_many_addresses_the_first_are_explained(resolver: Fake) -> None:
    resolver("many.test", *(f"192.0.2.{number}" for number in range(1, 40)))
    one = explain("many.test")
    assert len(one.addresses) == 16
    assert any("39 addresses" in limit for limit in one.limits)


@pytest.mark.parametrize("text", ["localhost:80", "app.localhost:80", "localhost.:80", "80"])
def test_localhost_is_loopback_even_where_the_resolver_does_not_know_it(resolver: Fake, text: str) -> None:
    one = explain(text)
    assert [str(each.address) for each in one.addresses] == ["127.0.0.1", "::1"]
    assert any("RFC 6761" in note for note in one.notes)
    assert one.limits


def test_a_localhost_that_leads_elsewhere_is_told(resolver: Fake) -> None:
    resolver("localhost", "192.0.2.9")
    assert any("must mean loopback" in note for note in explain("localhost:80").notes)


def test_secrets_are_not_in_the_answer(resolver: Fake) -> None:
    resolver("db", "192.0.2.9")
    one = explain("postgres://user:hunter2@db/shop?password=hunter2")
    assert one.asked == "postgres://***@db/shop"
    assert "hunter2" not in json.dumps(explanation.document(one)) + repr(one)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(AddressError):
        explain("127.0.0.256")


def test_without_rtnetlink_and_proc_the_paper_half_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_NETLINK")
    monkeypatch.setattr(sysctl, "ROOT", "/nosuch")
    one = explain("127.0.0.1:3000")
    (address,) = one.addresses
    assert address.blocks
    assert address.interfaces == ("lo",)
    assert address.settings == {}
    assert one.port is not None
    assert one.port.services
    port = one.port
    assert (port.ephemeral, port.in_ephemeral, port.reserved, port.privileged) == (None,) * 4
    assert len(one.limits) == 2


def test_without_any_interface_that_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from homeport.errors import SourceError

    def fail() -> Any:
        raise SourceError("the interfaces cannot be listed", why="a test")

    monkeypatch.setattr(routing, "interfaces", fail)
    one = explain("127.0.0.1")
    assert one.addresses[0].interfaces == ()
    assert any("cannot be listed" in limit for limit in one.limits)


@pytest.fixture
def netns() -> Iterator[str]:
    name = f"hp-explained-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True, timeout=30)
    try:
        for words in ("link set lo up", "link add left type veth peer name right", "link set left up"):
            subprocess.run(["ip", "-n", name, *words.split()], check=True, timeout=30)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True, timeout=30)


def inside(netns: str, *words: str) -> dict[str, Any]:
    command = ["ip", "netns", "exec", netns, sys.executable, "-P", "-m", "homeport", "explain", "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def sysctls(netns: str, **values: str) -> None:
    for name, value in values.items():
        command = ["ip", "netns", "exec", netns, "sysctl", "-q", "-w", f"{name.replace('__', '.')}={value}"]
        subprocess.run(command, check=True, timeout=30)


def test_the_settings_of_the_namespace_count(netns: str) -> None:
    sysctls(
        netns,
        net__ipv4__ip_local_port_range="49152 65535",
        net__ipv4__ip_local_reserved_ports="62893,50000-50010",
        net__ipv4__ip_unprivileged_port_start="80",
        net__ipv4__conf__left__route_localnet="1",
    )
    told = inside(netns, "127.0.0.1:62893")
    port = told["port"]
    assert port["ephemeral"] == [49152, 65535]
    assert port["in_ephemeral"] is True
    assert port["reserved"] is True
    assert port["unprivileged_start"] == 80
    assert port["notes"] == []
    assert told["addresses"][0]["settings"]["net.ipv4.conf.left.route_localnet"] == "1"
    assert inside(netns, ":79")["port"]["privileged"] is True
    assert inside(netns, ":80")["port"]["privileged"] is False


def test_ipv6_that_is_off_is_told(netns: str) -> None:
    sysctls(netns, net__ipv6__conf__lo__disable_ipv6="1")
    (address,) = inside(netns, "::1")["addresses"]
    assert address["interfaces"] == []
    assert any("IPv6 is off for lo" in one["text"] for one in address["here"])
    assert address["settings"]["net.ipv6.conf.lo.disable_ipv6"] == "1"


def test_an_address_without_route(netns: str) -> None:
    (address,) = inside(netns, "8.8.8.8")["addresses"]
    assert address["routes"][0]["error"] == os.strerror(101)


def test_the_document_has_every_fact() -> None:
    told = json.loads(json.dumps(explanation.document(explain("[::ffff:127.0.0.1]:443/udp"))))
    assert told["endpoint"] == {"protocol": "udp", "address": "::ffff:127.0.0.1", "port": 443}
    (address,) = told["addresses"]
    assert address["address"] == "::ffff:127.0.0.1"
    assert [one["network"] for one in address["blocks"]] == ["::ffff:0:0/96", "127.0.0.0/8"]
    assert address["blocks"][1]["reserved_by_protocol"] is True
    assert {"source", "text"} == set(told["port"]["evidence"][0])
    assert told["port"]["registry_date"].startswith("20")
