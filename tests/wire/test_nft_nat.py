"""Rule sets as engines write them, and hostile ones."""

from __future__ import annotations

import json
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.model.addresses import Protocol
from homeport.model.publishing import Forward
from homeport.wire.nft_nat import iptables, nft

A, B = "a1" * 32, "b2" * 32

NETAVARK = f"""\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-PORTS
-A OUTPUT -m addrtype --dst-type LOCAL -j NETAVARK-PORTS
-A POSTROUTING -s 10.88.0.0/16 -j NETAVARK
-A NETAVARK-DN -s 127.0.0.1/32 -d 127.0.0.1/32 -p tcp -m tcp --dport 8081 -j NETAVARK-HOSTPORT-SETMARK
-A NETAVARK-DN -d 127.0.0.1/32 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 10.88.0.2:80
-A NETAVARK-DN -p tcp -m tcp --dport 8090:8092 -j DNAT --to-destination 10.88.0.3:80-82/8090
-A NETAVARK-DN -p udp -m udp --dport 8093 -j DNAT --to-destination 10.88.0.3:90
-A NETAVARK-PORTS -p tcp -m tcp --dport 8081 -m comment --comment "dnat name: podman id: {A}" -j NETAVARK-DN
-A NETAVARK-PORTS -p tcp -m tcp --dport 8090:8092 -m comment --comment "dnat name: podman id: {B}" -j NETAVARK-DN
-A NETAVARK-PORTS -p udp -m udp --dport 8093 -m comment --comment "dnat name: podman id: {B}" -j NETAVARK-DN
COMMIT
"""
DOCKER = """\
*filter
-A PREROUTING -p tcp --dport 1 -j DNAT --to-destination 10.0.0.1:1
COMMIT
*nat
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER -d 192.0.2.9/32 ! -i docker0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 172.17.0.3:8443
-A UNUSED -p tcp -m tcp --dport 9 -j DNAT --to-destination 172.17.0.9:9
COMMIT
"""


def shape(one: Forward) -> tuple[object, ...]:
    where = f"{one.address or '*'}:{one.first}-{one.last}"
    return one.protocol.value, where, f"{one.target_address}:{one.target_port}", one.container_id, one.conditions


def test_netavark_by_iptables() -> None:
    found = iptables(NETAVARK)
    assert sorted(map(shape, found), key=str) == [
        ("tcp", "*:8090-8092", "10.88.0.3:80", B, ()),
        ("tcp", "127.0.0.1:8081-8081", "10.88.0.2:80", A, ()),
        ("udp", "*:8093-8093", "10.88.0.3:90", B, ()),
    ]
    (ranged,) = [one for one in found if one.first == 8090]
    assert [ranged.target_of(port) for port in (8090, 8092)] == [80, 82]
    assert ranged.covers(Protocol.TCP, ip_address("127.0.0.1"), 8091)
    assert not ranged.covers(Protocol.UDP, ip_address("127.0.0.1"), 8091)
    assert not ranged.covers(Protocol.TCP, ip_address("127.0.0.1"), 8093)
    assert "8090:8092" in ranged.evidence.text


def test_docker_by_iptables_with_what_a_packet_must_fulfil() -> None:
    assert sorted(map(shape, iptables(DOCKER))) == [
        ("tcp", "*:8080-8080", "172.17.0.2:80", None, ("! -i docker0",)),
        ("tcp", "192.0.2.9:443-443", "172.17.0.3:8443", None, ("! -i docker0",)),
    ]


def test_six_ports_lists_and_targets_without_a_port() -> None:
    text = """*nat
-A PREROUTING -d fd00::1/128 -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd00::2]:8080
-A PREROUTING -p udp -m multiport --dports 53,100:102 -j DNAT --to-destination 10.0.0.2
-A PREROUTING -p tcp -m tcp --dport 7 -j DNAT --to-destination 10.0.0.2:70-79
-A PREROUTING -p tcp -m tcp --dport 8 -j DNAT --to-destination 10.0.0.2-10.0.0.9
-A PREROUTING -p tcp -s 10.1.1.1/32 -d 10.9.0.0/16 -m tcp --dport 22 -j DNAT --to-destination 10.0.0.2:22
-A PREROUTING -p icmp -j DNAT --to-destination 10.0.0.2
COMMIT"""
    assert [shape(one) for one in iptables(text)] == [
        ("tcp", "fd00::1:80-80", "fd00::2:8080", None, ()),
        ("udp", "*:53-53", "10.0.0.2:53", None, ()),
        ("udp", "*:100-102", "10.0.0.2:100", None, ()),
        ("tcp", "*:7-7", "10.0.0.2:None", None, ()),
        ("tcp", "*:8-8", "None:8", None, ()),
        ("tcp", "*:22-22", "10.0.0.2:22", None, ("-s 10.1.1.1/32", "-d 10.9.0.0/16")),
    ]
    assert iptables(text)[2].target_of(102) == 102


def test_a_rule_that_two_containers_lead_to_names_neither() -> None:
    text = NETAVARK.replace("8090:8092 -m comment", "8081 -m comment")
    (found,) = [one for one in iptables(text) if one.first == 8081]
    assert found.container_id is None


def rule(chain: str, *expressions: object, **more: object) -> dict[str, object]:
    return {"rule": {"family": "inet", "table": "netavark", "chain": chain, "expr": list(expressions), **more}}


def match(protocol: str, field: str, right: object, op: str = "==") -> dict[str, object]:
    return {"match": {"op": op, "left": {"payload": {"protocol": protocol, "field": field}}, "right": right}}


def ruleset(*items: object) -> str:
    base = {"family": "inet", "table": "netavark", "name": "PREROUTING", "type": "nat", "hook": "prerouting"}
    return json.dumps({"nftables": [{"metainfo": {}}, {"chain": base}, *items]})


FIB = {"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["daddr"]}}, "right": "local"}}


def test_netavark_by_nft() -> None:
    text = ruleset(
        rule("PREROUTING", FIB, {"jump": {"target": "HOSTPORT"}}),
        rule("HOSTPORT", match("tcp", "dport", 80), {"jump": {"target": "nv_dnat"}}),
        rule("HOSTPORT", match("tcp", "dport", 81), {"jump": {"target": "nv_dnat"}}),
        rule("nv_dnat", match("ip", "saddr", "127.0.0.1"), match("tcp", "dport", 80), {"jump": {"target": "SETMARK"}}),
        rule("nv_dnat", match("ip", "daddr", "127.0.0.1"), match("tcp", "dport", 80),
             {"dnat": {"family": "ip", "addr": "10.88.0.6", "port": 8080}}),
        rule("nv_dnat", match("tcp", "dport", 81), {"dnat": {"family": "ip", "addr": "10.88.0.7", "port": 80}},
             comment=f"id: {A}"),
        rule("elsewhere", match("tcp", "dport", 9), {"dnat": {"addr": "10.88.0.9", "port": 9}}),
    )  # fmt: skip
    found = nft(text)
    assert not found.opaque
    assert [shape(one) for one in found.forwards] == [
        ("tcp", "*:81-81", "10.88.0.7:80", A, ()),
        ("tcp", "127.0.0.1:80-80", "10.88.0.6:8080", None, ()),
    ]
    assert found.forwards[0].evidence.text == "inet netavark nv_dnat: tcp dport 81 dnat to 10.88.0.7:80"


def test_sets_ranges_protocols_and_conditions_by_nft() -> None:
    l4 = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["tcp", "udp"]}}}
    ports = {"set": [53, {"range": [100, 102]}, {"elem": {"val": 7}}]}
    text = ruleset(
        rule("PREROUTING", l4, match("th", "dport", ports), {"dnat": {"addr": "10.0.0.2"}}),
        rule("PREROUTING", match("tcp", "dport", 22), {"match": {"op": "!=", "left": {"meta": {"key": "iifname"}},
             "right": "docker0"}}, {"dnat": {"addr": "10.0.0.3", "port": {"range": [1, 2]}}}),
        rule("PREROUTING", match("tcp", "dport", 1, "!="), {"dnat": {"addr": "10.0.0.4", "port": 4}}),
        rule("PREROUTING", match("tcp", "dport", 5), {"dnat": {"addr": {"map": {}}, "port": 4}}),
    )  # fmt: skip
    assert [shape(one) for one in nft(text).forwards] == [
        *(
            (protocol, f"*:{first}-{last}", f"10.0.0.2:{first}", None, ())
            for protocol in ("tcp", "udp")
            for first, last in ((53, 53), (100, 102), (7, 7))
        ),
        ("tcp", "*:22-22", "10.0.0.3:None", None, ('meta {"meta": {"key": "iifname"}} != docker0',)),
        ("tcp", "*:5-5", "None:4", None, ()),
    ]


def test_rules_of_iptables_are_opaque_to_nft() -> None:
    xt = {"xt": {"type": "target", "name": "DNAT"}}
    assert nft(ruleset(rule("PREROUTING", match("tcp", "dport", 80), xt))).opaque
    assert nft(ruleset(rule("PREROUTING", {"xt": None}))).opaque
    assert not nft(ruleset(rule("PREROUTING", {"xt": {"type": "match", "name": "comment"}}))).opaque


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"nftables": 3}', "[" * 100_000])
def test_what_is_no_rule_set_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        nft(text)


def test_loops_and_fans_of_jumps_end() -> None:
    loop = [rule("PREROUTING", {"jump": {"target": "PREROUTING"}})] * 3
    many = [rule(f"c{n}", *[{"jump": {"target": f"c{n + 1}"}}]) for n in range(15) for _ in range(8)]
    fan = [rule("PREROUTING", {"jump": {"target": "c0"}}), *many]
    assert nft(ruleset(*loop)).forwards == nft(ruleset(*fan)).forwards == ()
    assert iptables("*nat\n" + "-A PREROUTING -j PREROUTING\n" * 3) == ()


KEYS = ["rule", "chain", "family", "table", "name", "type", "hook", "expr", "match", "left", "right", "op", "payload",
        "protocol", "field", "jump", "target", "dnat", "addr", "port", "set", "range", "elem", "val", "meta", "key",
        "fib", "result", "xt", "comment"]  # fmt: skip
WORDS = ["nat", "prerouting", "inet", "PREROUTING", "tcp", "dport", "daddr", "==", "10.0.0.1", "l4proto", "local", A]
shapes = st.recursive(
    st.none() | st.integers() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)


@given(st.lists(shapes, max_size=4), st.lists(shapes, max_size=4))
def test_any_json_is_read_or_refused(items: list[object], expressions: list[object]) -> None:
    for value in (items, {"nftables": items}, json.loads(ruleset(rule("PREROUTING", *expressions), *items))):
        try:
            for one in nft(json.dumps(value)).forwards:
                assert 0 < one.first <= one.last < 65_536
        except WireError:
            pass


@given(
    st.lists(
        st.sampled_from(["*nat\n", "\n-A PREROUTING ", "-p ", "tcp ", "--dport ", "80:90 ", "-d ", "10.0.0.1/32 ", "! ",
                         "-j DNAT ", "--to-destination ", "10.0.0.2:80-90/80 ", "[::1]:1 ", '"', "'", "\\", "99999 "])
        | st.text(max_size=4)
    ).map("".join)
)  # fmt: skip
def test_any_text_of_iptables_is_read(text: str) -> None:
    for one in iptables("*nat\n-A PREROUTING " + text):
        assert one.first > 0
        assert (target := one.target_of(one.last)) is None or 0 < target < 65_536
