"""Reach with built namespaces: a machine with a network card, and perhaps a container behind a bridge."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

from homeport.model.addresses import IPAddress, Protocol, Scope
from homeport.model.evidence import Evidence
from homeport.model.explanation import Interface, Route
from homeport.model.firewall import Ruleset
from homeport.model.owners import Reason, Unattributed
from homeport.model.publishing import Published
from homeport.model.reach import Answer, From, Inquiry, Reached, Station
from homeport.model.snapshot import Listener, Netns
from homeport.model.sockets import Socket, State
from homeport.rules.effective_reach import Setting, candidates, origins, reach
from homeport.wire import nft_rules

LO = Interface(
    index=1, name="lo", addresses=(ip_interface("127.0.0.1/8"), ip_interface("::1/128")), broadcasts=(), up=True
)
ETH0 = Interface(index=2, name="eth0", addresses=(ip_interface("192.0.2.2/24"),), broadcasts=(), up=True)
BRIDGE = Interface(
    index=3, name="podman0", addresses=(ip_interface("10.88.0.1/16"),), broadcasts=(), kind="bridge", up=True
)
TUNNEL = Interface(
    index=4, name="wg0", addresses=(ip_interface("10.9.0.1/24"),), broadcasts=(), kind="wireguard", up=True
)
INNER = Interface(index=2, name="eth0", addresses=(ip_interface("10.88.0.5/16"),), broadcasts=(), kind="veth", up=True)


class Net:
    """Routes as a kernel with these interfaces would tell them; `localnet`: route_localnet is on."""

    def __init__(self, *stations: Station, localnet: bool = False) -> None:
        self.stations = stations
        self.localnet = localnet
        self.asked: list[Inquiry] = []

    def route(self, station: Station, asked: Inquiry) -> Route:
        destination, incoming = asked.destination, asked.incoming
        self.asked.append(asked)
        blank = Route(destination=destination, kind=None, interface=None, source=None, gateway=None, error=None)
        if destination.is_loopback and incoming not in (None, "lo") and not self.localnet:
            return replace(blank, error="Invalid argument")
        if destination.is_loopback or any(
            each.ip == destination for one in station.interfaces for each in one.addresses
        ):
            return replace(blank, kind="local", interface="lo", source=destination)
        if incoming not in (None, "lo") and destination.version == 4 and "ip" not in station.forwards:
            return replace(blank, error="No route to host")
        for one in station.interfaces:
            for each in one.addresses:
                if each.version == destination.version and destination in each.network:
                    return replace(blank, kind="unicast", interface=one.name, source=each.ip)
        gateway = ip_address("10.88.0.1") if station.name == "container" else ip_address("192.0.2.1")
        out = "eth0"
        own = next(one for one in station.interfaces if one.name == out)
        return replace(blank, kind="unicast", interface=out, source=own.addresses[0].ip, gateway=gateway)

    def beyond(self, station: Station, interface: str, address: IPAddress) -> tuple[Station, str] | None:
        for other in self.stations:
            for one in other.interfaces:
                if other is not station and one.name != "lo" and any(each.ip == address for each in one.addresses):
                    return other, one.name
        return None


def listener(
    address: str, netns: int = 1, port: int = 8080, protocol: Protocol = Protocol.TCP, interface: int = 0
) -> Listener:
    state = State.LISTEN if protocol is Protocol.TCP else State.BOUND
    socket = Socket(
        protocol, state, ip_address(address), port, None, None, 9, 9, netns, 0, 0, 1, interface or None, None
    )
    return Listener(socket, Scope.EVERY, (), Unattributed(Reason.KERNEL, "", 0))


def rules(
    hook: str, *expressions: list[Any], policy: str = "accept", kind: str = "filter", priority: int = 0
) -> list[Any]:
    name = f"{hook}{priority}"
    found: list[Any] = [{"table": {"family": "ip", "name": name}}]
    found.append({"chain": {"family": "ip", "table": name, "name": "c", "type": kind, "hook": hook, "prio": priority,
                            "policy": policy}})  # fmt: skip
    found += [{"rule": {"family": "ip", "table": name, "chain": "c", "expr": one}} for one in expressions]
    return found


def machine(
    *held: Listener, filters: list[Any] | None = None, complete: bool = True, forwards: bool = False
) -> Station:
    tables = nft_rules.parse(json.dumps({"nftables": filters or []})).tables
    ruleset = Ruleset(
        tables=tables, interfaces=(LO, ETH0, BRIDGE, TUNNEL), complete=complete, limits=() if complete else ("no",)
    )
    return Station(
        netns=Netns(1, None, 1, True), name="this machine", ruleset=ruleset, listeners=held,
        forwards=frozenset(("ip",) if forwards else ()),
    )  # fmt: skip


def container(*held: Listener) -> Station:
    ruleset = Ruleset(tables=(), interfaces=(LO, INNER))
    return Station(
        netns=Netns(2, None, 2, False), name="container", ruleset=ruleset, listeners=held, forwards=frozenset()
    )


def judged(one: Listener, here: Station, home: Station | None = None, *, localnet: bool = False) -> dict[str, Reached]:
    home = home or here
    found = reach(Setting(Net(here, home, localnet=localnet), here, home, one, ()))
    return {each.origin.name: each for each in found.reached}


def answers(found: dict[str, Reached]) -> dict[From, Answer]:
    return {one.origin.kind: one.answer for one in found.values()}


DPORT: Any = {"payload": {"protocol": "tcp", "field": "dport"}}
ETH: Any = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}


def test_origins_are_named_by_kind() -> None:
    one = listener("0.0.0.0")
    here = machine(one)
    found = [each.name for each in origins(Setting(Net(here), here, here, one, ()))]
    assert found == [
        "this machine",
        "containers on podman0 (10.88.0.0/16)",
        "local network through eth0 (192.0.2.0/24)",
        "VPN through wg0 (10.9.0.0/24)",
        "anywhere routed, through eth0",
    ]


def test_a_wildcard_is_reached_from_everywhere_and_loopback_from_here_only() -> None:
    everywhere = listener("0.0.0.0")
    assert set(answers(judged(everywhere, machine(everywhere))).values()) == {Answer.YES}
    closed = listener("127.0.0.1")
    found = answers(judged(closed, machine(closed)))
    assert found.pop(From.MACHINE) is Answer.YES
    assert set(found.values()) == {Answer.NO}


def test_route_localnet_opens_loopback_to_who_sends_there() -> None:
    closed = listener("127.0.0.1")
    found = judged(closed, machine(closed), localnet=True)["local network through eth0 (192.0.2.0/24)"]
    assert found.answer is Answer.UNKNOWN
    assert found.way is not None
    assert (found.way.answer, found.way.routed) == (Answer.YES, True)


def test_one_address_belongs_to_one_network_but_containers_route_by_this_machine() -> None:
    one = listener("192.0.2.2")
    found = answers(judged(one, machine(one)))
    assert (found[From.NETWORK], found[From.CONTAINERS], found[From.VPN]) == (Answer.YES, Answer.YES, Answer.UNKNOWN)


def test_a_rule_for_one_interface() -> None:
    one = listener("0.0.0.0")
    found = answers(judged(one, machine(one, filters=rules("input", [ETH, {"drop": None}]))))
    assert found[From.NETWORK] is found[From.ANYWHERE] is Answer.NO
    assert found[From.MACHINE] is found[From.CONTAINERS] is found[From.VPN] is Answer.YES


def test_a_rule_for_some_senders_is_maybe_for_anybody() -> None:
    one = listener("0.0.0.0")
    near = {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}},
                      "right": {"prefix": {"addr": "192.0.2.0", "len": 24}}}}  # fmt: skip
    found = judged(one, machine(one, filters=rules("input", [near, {"accept": None}], policy="drop")))
    assert found["local network through eth0 (192.0.2.0/24)"].answer is Answer.YES
    anywhere = found["anywhere routed, through eth0"]
    assert (anywhere.answer, anywhere.way and anywhere.way.conditions) == (Answer.UNKNOWN, ("ip saddr 192.0.2.0/24",))


def test_another_listener_that_answers_first_is_said() -> None:
    one, first = listener("0.0.0.0"), listener("192.0.2.2")
    found = judged(one, machine(one, first))["local network through eth0 (192.0.2.0/24)"]
    refused = next(way for way in found.ways if str(way.address) == "192.0.2.2")
    assert (refused.answer, refused.connects) == (Answer.NO, True)
    assert refused.why[-1].text == "another listener answers there: 192.0.2.2:8080"


def test_unread_rules_make_a_yes_a_maybe_and_leave_a_no() -> None:
    one, closed = listener("0.0.0.0"), listener("127.0.0.1")
    assert set(answers(judged(one, machine(one, complete=False))).values()) == {Answer.UNKNOWN}
    assert answers(judged(closed, machine(closed, complete=False)))[From.NETWORK] is Answer.NO


def test_a_container_is_reached_from_its_machine_and_by_translation() -> None:
    one = listener("0.0.0.0", netns=2)
    home = container(one)
    plain = {name: each.answer for name, each in judged(one, machine(), home).items()}
    assert plain == {
        "inside container": Answer.YES,
        "this machine": Answer.YES,
        "containers on eth0 of container (10.88.0.0/16)": Answer.YES,
        "local network through eth0 (192.0.2.0/24)": Answer.NO,
        "VPN through wg0 (10.9.0.0/24)": Answer.NO,
        "anywhere routed, through eth0": Answer.NO,
    }
    led = [{"match": {"op": "==", "left": DPORT, "right": 9090}}, {"dnat": {"addr": "10.88.0.5", "port": 8080}}]
    filters = rules("prerouting", led, kind="nat", priority=-100)
    found = judged(one, machine(filters=filters, forwards=True), home)["local network through eth0 (192.0.2.0/24)"]
    assert found.answer is Answer.YES
    assert found.way is not None
    assert (str(found.way.address), found.way.port) == ("192.0.2.2", 9090)
    closed = [*filters, *rules("forward", policy="drop")]
    shut = judged(one, machine(filters=closed, forwards=True), home)["local network through eth0 (192.0.2.0/24)"]
    assert shut.answer is Answer.NO
    without = judged(one, machine(filters=filters), home)["local network through eth0 (192.0.2.0/24)"]
    assert without.answer is Answer.NO


def test_what_is_led_to_another_machine_leaves() -> None:
    one = listener("0.0.0.0", port=80)
    away = [{"dnat": {"addr": "203.0.113.9", "port": 80}}]
    here = machine(one, filters=rules("prerouting", away, kind="nat", priority=-100), forwards=True)
    found = judged(one, here)["local network through eth0 (192.0.2.0/24)"]
    assert found.answer is Answer.UNKNOWN
    assert all(way.leaves for way in found.ways)


def test_candidates_follow_the_bind_address() -> None:
    def places(one: Listener) -> list[str]:
        here = machine(one)
        return [str(each.address) for each in candidates(Setting(Net(here), here, here, one, ()))]

    assert places(listener("192.0.2.2")) == ["192.0.2.2"]
    assert places(listener("0.0.0.0")) == ["127.0.0.1", "192.0.2.2", "10.88.0.1", "10.9.0.1"]
    assert places(listener("::ffff:127.0.0.1")) == ["127.0.0.1"]


def test_datagrams_need_no_answer() -> None:
    one = listener("0.0.0.0", protocol=Protocol.UDP)
    here = machine(one, filters=rules("output", policy="drop"))
    assert answers(judged(one, here))[From.NETWORK] is Answer.YES
    tcp = listener("0.0.0.0")
    stopped = judged(tcp, machine(tcp, filters=rules("output", policy="drop")))
    assert answers(stopped)[From.NETWORK] is Answer.NO
    way = stopped["local network through eth0 (192.0.2.0/24)"].way
    assert way is not None
    assert way.why[-1].text == "the answer is dropped by policy drop"


def test_sources_are_networks_of_the_interface() -> None:
    one = listener("0.0.0.0")
    here = machine(one)
    for each in origins(Setting(Net(here), here, here, one, ())):
        if each.kind is From.NETWORK:
            assert each.sources == (ip_network("192.0.2.0/24"),)


def test_a_program_that_passes_on_to_nobody_is_no_yes() -> None:
    """docker-proxy takes every connection, whether or not there is somebody behind it."""
    for bound, answer in (("0.0.0.0", Answer.YES), ("127.0.0.1", Answer.NO)):
        inner, proxy = listener(bound, 2, 80), listener("0.0.0.0", 1, 9090)
        here, home = machine(proxy), container(inner)
        evidence = (Evidence("x", "y"),)
        led = Published(Protocol.TCP, None, 9090, ip_address("10.88.0.5"), 80, None, "docker-proxy", (), evidence)
        found = reach(Setting(Net(here, home), here, home, inner, (led,)))
        own = next(one for one in found.reached if one.origin.kind is From.MACHINE)
        way = next(one for one in own.ways if one.port == 9090)
        assert (way.answer, way.connects) == (answer, True)
        assert "docker-proxy passes it on to 10.88.0.5:80" in [one.text for one in way.why]


class Astray(Net):
    """Answers leave by the tunnel, whatever came in by what."""

    def route(self, station: Station, asked: Inquiry) -> Route:
        found = super().route(station, asked)
        return replace(found, interface="wg0", gateway=None) if found.kind == "unicast" else found


def test_an_answer_that_leaves_by_another_interface() -> None:
    one = listener("0.0.0.0")
    here = machine(one)
    found = {each.origin.kind: each for each in reach(Setting(Astray(here), here, here, one, ())).reached}
    assert found[From.NETWORK].answer is Answer.UNKNOWN
    way = found[From.NETWORK].way
    assert way is not None
    assert way.conditions == ("whether the answer gets to the client: it leaves by wg0, not by eth0",)
    assert found[From.VPN].answer is Answer.YES


def test_routes_are_asked_for_with_all_that_may_choose_them() -> None:
    one = listener("0.0.0.0")
    here = machine(one)
    net = Net(here)
    reach(Setting(net, here, here, one, ()))
    coming = [each for each in net.asked if each.incoming == "eth0" and str(each.destination) == "192.0.2.2"]
    assert {(each.protocol, each.port) for each in coming} == {(Protocol.TCP, 8080)}
    (answer, *_) = [each for each in net.asked if each.incoming is None and str(each.destination) == "192.0.2.1"]
    assert (answer.source_port, answer.uid, answer.protocol) == (8080, one.socket.uid, Protocol.TCP)
