"""The judge: rules in nft's JSON as it was recorded, packets, and what the kernel would do; with near misses."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.model.addresses import Protocol
from homeport.model.explanation import Interface
from homeport.model.firewall import Action, Hook, Judgement, Packet, Ruleset
from homeport.rules.firewall import judge, judge_local
from homeport.wire import iptables_rules, nft_rules

Rules = list[Any]
DPORT: Any = {"payload": {"protocol": "tcp", "field": "dport"}}
SADDR: Any = {"payload": {"protocol": "ip", "field": "saddr"}}
IIFNAME: Any = {"meta": {"key": "iifname"}}
STATE: Any = {"ct": {"key": "state"}}
ACCEPT: Any = {"accept": None}
DROP: Any = {"drop": None}
LIMIT: Any = {"limit": {"rate": 5, "per": "minute"}}
ETH0 = Interface(
    index=2, name="eth0", addresses=(ip_interface("192.0.2.2/24"), ip_interface("2001:db8::2/64")),
    broadcasts=(ip_address("192.0.2.255"),), up=True,
)  # fmt: skip
PACKET = Packet(
    hook=Hook.INPUT, protocol=Protocol.TCP, source=ip_network("192.0.2.9/32"), destination=ip_address("192.0.2.2"),
    port=(8080, 8080), source_port=(32768, 60999), iif="eth0",
)  # fmt: skip
SIX = replace(PACKET, source=ip_network("2001:db8::9/128"), destination=ip_address("2001:db8::2"))


def match(left: Any, right: Any, op: str = "==") -> Any:
    return {"match": {"op": op, "left": left, "right": right}}


def table(
    rules: list[Rules], hook: str | None = "input", policy: str = "accept", *, family: str = "inet", name: str = "t",
    priority: int = 0, kind: str = "filter", chains: dict[str, list[Rules]] | None = None, sets: Rules | None = None,
) -> list[Any]:  # fmt: skip
    base = {
        "family": family,
        "table": name,
        "name": "c",
        "type": kind,
        "hook": hook,
        "prio": priority,
        "policy": policy,
    }
    found: list[Any] = [{"table": {"family": family, "name": name}}, {"chain": base}]
    found += [{one["kind"]: {"family": family, "table": name, **one}} for one in sets or ()]
    found += [{"chain": {"family": family, "table": name, "name": each}} for each in chains or ()]
    handle = 1
    for chain, some in {"c": rules, **(chains or {})}.items():
        for expressions in some:
            rule = {"family": family, "table": name, "chain": chain, "handle": handle, "expr": expressions}
            found.append({"rule": rule})
            handle += 1
    return found


def ruleset(*tables: list[Any], complete: bool = True) -> Ruleset:
    text = json.dumps({"nftables": [one for each in tables for one in each]})
    limits = () if complete else ("not root",)
    return Ruleset(tables=nft_rules.parse(text).tables, interfaces=(ETH0,), complete=complete, limits=limits)


def action(rules: list[Rules], policy: str = "accept", packet: Packet = PACKET, **more: Any) -> Action:
    return judge(ruleset(table(rules, policy=policy, **more)), packet).action


@pytest.mark.parametrize(
    ("rules", "policy", "expected"),
    [
        ([], "accept", "accept"),
        ([], "drop", "drop"),
        ([[match(DPORT, 8080), DROP]], "accept", "drop"),
        ([[match(DPORT, 8081), DROP]], "accept", "accept"),
        ([[match(DPORT, {"set": [80, {"range": [8000, 8080]}]}), DROP]], "accept", "drop"),
        ([[match(DPORT, {"set": [80, {"range": [8000, 8079]}]}), DROP]], "accept", "accept"),
        ([[match(DPORT, 8080, "!="), ACCEPT]], "drop", "drop"),
        ([[match({"payload": {"protocol": "udp", "field": "dport"}}, 8080), DROP]], "accept", "accept"),
        ([[match({"payload": {"protocol": "udp", "field": "dport"}}, 1, "!="), DROP]], "accept", "accept"),
        ([[match({"payload": {"protocol": "th", "field": "dport"}}, 8080), DROP]], "accept", "drop"),
        ([[match({"payload": {"protocol": "ip6", "field": "saddr"}}, "::1", "!="), DROP]], "accept", "accept"),
        ([[match({"payload": {"protocol": "icmp", "field": "type"}}, "echo-request"), DROP]], "accept", "accept"),
        ([[match(SADDR, {"prefix": {"addr": "192.0.2.0", "len": 24}}), ACCEPT]], "drop", "accept"),
        ([[match(SADDR, {"prefix": {"addr": "192.0.3.0", "len": 24}}), ACCEPT]], "drop", "drop"),
        ([[match(IIFNAME, "eth*"), ACCEPT]], "drop", "accept"),
        ([[match(IIFNAME, "eth1"), ACCEPT]], "drop", "drop"),
        ([[match(IIFNAME, "eth0\\*"), ACCEPT]], "drop", "drop"),
        ([[match({"meta": {"key": "oifname"}}, "eth0", "!="), DROP]], "accept", "drop"),
        ([[match(STATE, ["established", "related"], "in"), ACCEPT]], "drop", "drop"),
        ([[match(STATE, ["established", "new"], "in"), ACCEPT]], "drop", "accept"),
        ([[match({"ct": {"key": "direction"}}, "reply"), DROP]], "accept", "accept"),
        ([[match({"ct": {"key": "status"}}, "dnat", "in"), ACCEPT]], "drop", "drop"),
        ([[match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"), ACCEPT]], "drop", "accept"),
        ([[match({"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, False), DROP]], "accept", "accept"),
        ([[match({"meta": {"key": "pkttype"}}, "host", "!="), DROP]], "accept", "accept"),
        ([[match({"meta": {"key": "skuid"}}, 0), ACCEPT]], "drop", "drop"),
        ([[{"counter": {"packets": 1, "bytes": 2}}, {"log": None}, DROP]], "accept", "drop"),
        ([[{"reject": {"type": "tcp reset"}}]], "accept", "reject"),
        ([[{"reject": {"type": "icmpv6", "expr": "no-route"}}]], "accept", "accept"),
        ([[match({"meta": {"key": "mark"}}, 0), ACCEPT]], "drop", "accept"),
        ([[{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 7}}],
          [match({"&": [{"meta": {"key": "mark"}}, 3]}, 3), ACCEPT]], "drop", "accept"),
        ([[match({"concat": [IIFNAME, DPORT]}, {"set": [{"concat": ["eth0", 8080]}]}), ACCEPT]], "drop", "accept"),
        ([[match({"concat": [IIFNAME, DPORT]}, {"set": [{"concat": ["eth0", 8081]}]}), ACCEPT]], "drop", "drop"),
        ([[{"vmap": {"key": DPORT, "data": {"set": [[22, ACCEPT], [8080, DROP]]}}}], [ACCEPT]], "accept", "drop"),
        ([[{"vmap": {"key": DPORT, "data": {"set": [[22, ACCEPT]]}}}], [DROP]], "accept", "drop"),
        ([[{"vmap": {"key": DPORT, "data": {"set": [["*", DROP]]}}}]], "accept", "drop"),
        ([[{"continue": None}], [ACCEPT]], "drop", "accept"),
        ([[{"return": None}], [DROP]], "accept", "accept"),
    ],
)  # fmt: skip
def test_one_chain(rules: list[Rules], policy: str, expected: str) -> None:
    assert action(rules, policy) == expected


def test_a_judgement_names_its_rule() -> None:
    found = judge(
        ruleset(table([[match(DPORT, 1), DROP], [match(DPORT, 8080), {"reject": {"type": "tcp reset"}}]])), PACKET
    )
    assert (found.action, found.rule) == (Action.REJECT, "tcp dport 8080 reject with tcp reset")
    assert (found.family, found.table, found.chain, found.handle) == ("inet", "t", "c", 2)
    assert found.reject_with == "tcp reset"
    assert found.evidence[-1].source == "nft list ruleset: inet t c handle 2"


def test_a_policy_names_its_chain_and_silence_names_nothing() -> None:
    by_policy = judge(ruleset(table([], policy="drop")), PACKET)
    assert (by_policy.rule, by_policy.table, by_policy.chain) == (None, "t", "c")
    assert by_policy.evidence[-1].text == "policy drop"
    silent = judge(ruleset(), PACKET)
    assert (silent.action, silent.rule, silent.chain) == (Action.ACCEPT, None, None)


def test_what_was_not_read_is_unknown_but_a_seen_drop_is_a_drop() -> None:
    assert judge(ruleset(complete=False), PACKET).action is Action.UNKNOWN
    assert judge(ruleset(complete=False), PACKET).conditions == ("not root",)
    assert judge(ruleset(table([[DROP]]), complete=False), PACKET).action is Action.DROP


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (([[ACCEPT]], -10, "accept"), ([[DROP]], 10, "accept"), "drop"),
        (([[DROP]], -10, "accept"), ([[ACCEPT]], 10, "accept"), "drop"),
        (([[ACCEPT]], 10, "drop"), ([[ACCEPT]], -10, "drop"), "accept"),
    ],
)
def test_an_accept_ends_its_own_chain_only(first: Any, second: Any, expected: str) -> None:
    some = [table(rules, policy=policy, name=f"t{number}", priority=priority)
            for number, (rules, priority, policy) in enumerate((first, second))]  # fmt: skip
    assert judge(ruleset(*some), PACKET).action == expected


@pytest.mark.parametrize(("family", "four", "six"), [("ip", "drop", "accept"), ("ip6", "accept", "drop"),
                                                     ("inet", "drop", "drop"), ("arp", "accept", "accept"),
                                                     ("bridge", "accept", "accept")])  # fmt: skip
def test_families(family: str, four: str, six: str) -> None:
    rules = ruleset(table([[DROP]], family=family))
    assert (judge(rules, PACKET).action, judge(rules, SIX).action) == (four, six)


def test_jumps_come_back_and_gotos_do_not() -> None:
    chains = {"other": [[match(DPORT, 1), ACCEPT]], "back": [[{"return": None}], [DROP]]}
    jump = [[{"jump": {"target": "other"}}], [{"jump": {"target": "back"}}], [ACCEPT]]
    assert action(jump, "drop", chains=chains) == "accept"
    assert action([[{"goto": {"target": "other"}}], [ACCEPT]], "drop", chains=chains) == "drop"
    nested = {"a": [[{"goto": {"target": "b"}}], [ACCEPT]], "b": []}
    assert action([[{"jump": {"target": "a"}}], [DROP]], "accept", chains=nested) == "drop"


def test_sets_with_names() -> None:
    named = [{"kind": "set", "name": "s", "type": "inet_service", "elem": [{"range": [8000, 8100]}]}]
    assert action([[match(DPORT, "@s"), ACCEPT]], "drop", sets=named) == "accept"
    assert action([[match(DPORT, "@s", "!="), DROP]], "accept", sets=named) == "accept"


def test_what_decides_by_rate_is_unknown_and_said() -> None:
    found = judge(ruleset(table([[match(DPORT, 8080), LIMIT, ACCEPT]], policy="drop")), PACKET)
    assert (found.action, found.conditions) == (Action.UNKNOWN, ("limit rate 5/minute",))
    assert found.rule == "tcp dport 8080 limit rate 5/minute accept"


def test_both_ways_alike_are_an_answer() -> None:
    assert action([[LIMIT, DROP], [DROP]]) == "drop"
    assert action([[LIMIT, {"log": None}], [match(DPORT, 8080), ACCEPT]], "drop") == "accept"
    assert action([[{"future": {"x": 1}}]]) == "unknown"
    assert action([[{"xt": {"type": "target", "name": "X"}}], [DROP]], "drop") == "unknown"
    assert action([[match({"future": {"x": 1}}, 3), DROP]]) == "unknown"
    assert action([[match({"future": {"x": 1}}, 3), DROP], [DROP]]) == "drop"
    assert action([[match(DPORT, 9), {"future": {"x": 1}}]]) == "accept"
    assert action([[{"jump": {"target": "nowhere"}}]]) == "unknown"


def test_the_same_doubt_is_one_doubt() -> None:
    twice = [[match(SADDR, "192.0.2.9"), ACCEPT], [match(SADDR, "192.0.2.9", "!="), DROP]]
    some = replace(PACKET, source=ip_network("192.0.2.0/24"))
    found = judge(ruleset(table(twice, policy="drop")), some)
    assert (found.action, found.conditions) == (Action.UNKNOWN, ("ip saddr 192.0.2.9", "ip saddr != 192.0.2.9"))
    both = [[match(SADDR, "192.0.2.9"), {"jump": {"target": "x"}}]]
    chains = {"x": [[match(SADDR, "192.0.2.9"), ACCEPT], [DROP]]}
    assert action(both, "accept", some, chains=chains) == "accept"


def test_a_network_that_is_covered_is_certain() -> None:
    some = replace(PACKET, source=ip_network("192.0.2.0/24"))
    halves = {"set": [{"prefix": {"addr": "192.0.2.0", "len": 25}}, {"prefix": {"addr": "192.0.2.128", "len": 25}}]}
    assert action([[match(SADDR, halves), ACCEPT]], "drop", some) == "accept"
    assert action([[match(SADDR, {"prefix": {"addr": "192.0.2.0", "len": 25}}), ACCEPT]], "drop", some) == "unknown"
    assert action([[match(SADDR, {"prefix": {"addr": "192.0.0.0", "len": 16}}), DROP]], "accept", some) == "drop"


def test_before_conntrack_no_state_is_known() -> None:
    coming = replace(PACKET, hook=Hook.PREROUTING)
    early = table([[match(STATE, "new"), DROP]], hook="prerouting", priority=-300)
    late = table([[match(STATE, "new"), DROP]], hook="prerouting", priority=-150)
    assert judge(ruleset(early), coming).action is Action.ACCEPT
    assert judge(ruleset(late), coming).action is Action.DROP


def test_untracked_is_a_state_of_its_own_and_is_not_translated() -> None:
    coming = replace(PACKET, hook=Hook.PREROUTING)
    raw = table([[{"notrack": None}]], hook="prerouting", priority=-300, name="raw")
    mangle = table([[match(STATE, "untracked"), DROP]], hook="prerouting", priority=-150, name="mangle")
    nat = table([[{"redirect": {"port": 1}}]], hook="prerouting", priority=-100, name="nat", kind="nat")
    assert judge(ruleset(raw, mangle), coming).action is Action.DROP
    assert judge(ruleset(raw, nat), coming).packet.port == (8080, 8080)
    assert judge(ruleset(nat), coming).packet.port == (1, 1)


def test_only_the_first_chain_translates_and_later_chains_see_it() -> None:
    coming = replace(PACKET, hook=Hook.PREROUTING)
    one = table([[{"dnat": {"addr": "10.0.0.1", "port": 80}}]], hook="prerouting", name="a", kind="nat", priority=-101)
    two = table([[{"dnat": {"addr": "10.0.0.2", "port": 81}}]], hook="prerouting", name="b", kind="nat", priority=-100)
    after = table([[match(DPORT, 80), DROP]], hook="prerouting", name="z", priority=-50)
    found = judge(ruleset(two, one), coming)
    assert (str(found.packet.destination), found.packet.port) == ("10.0.0.1", (80, 80))
    assert judge(ruleset(two, one, after), coming).action is Action.DROP


def test_on_this_machine_both_output_and_input_decide_and_the_answer_too() -> None:
    here = ip_address("127.0.0.1")
    assert judge_local(ruleset(), here, 80).action is Action.ACCEPT
    assert judge_local(ruleset(table([[DROP]], hook="output")), here, 80).action is Action.DROP
    assert judge_local(ruleset(table([[match(DPORT, 80), DROP]])), here, 80).action is Action.DROP
    only = [[match(DPORT, 80), ACCEPT]]
    assert judge_local(ruleset(table(only, policy="drop")), here, 80).action is Action.DROP  # the answer has no port 80
    assert judge_local(ruleset(table(only, policy="drop")), here, 80, Protocol.UDP).action is Action.DROP
    state = [[match(STATE, "established"), ACCEPT]]
    assert judge_local(ruleset(table([*only, *state], policy="drop")), here, 80).action is Action.ACCEPT
    loop = [[match(IIFNAME, "lo"), ACCEPT]]
    assert judge_local(ruleset(table(loop, policy="drop")), ip_address("192.0.2.2"), 80).action is Action.ACCEPT


def test_on_this_machine_translation_is_done_on_the_way_out_only() -> None:
    here = ip_address("127.0.0.1")
    out = table([[match(DPORT, 80), {"redirect": {"port": 8080}}]], hook="output", kind="nat", priority=-100)
    coming = table(
        [[match(DPORT, 80), {"redirect": {"port": 9}}]], hook="prerouting", kind="nat", priority=-100, name="p"
    )
    closed = table([[match(DPORT, 8080), DROP]], name="f")
    found = judge_local(ruleset(out, coming), here, 80)
    assert (found.action, found.packet.port) == (Action.ACCEPT, (8080, 8080))
    assert judge_local(ruleset(coming), here, 80).packet.port == (80, 80)
    assert judge_local(ruleset(out, closed), here, 80).action is Action.DROP
    away = table([[{"dnat": {"addr": "10.0.0.1", "port": 80}}]], hook="output", kind="nat", priority=-100, family="ip")
    assert str(judge_local(ruleset(away), ip_address("192.0.2.2"), 80).packet.destination) == "10.0.0.1"


def test_the_senders_user() -> None:
    rules = ruleset(table([[match({"meta": {"key": "skuid"}}, 1000), DROP]], hook="output"))
    here = ip_address("127.0.0.1")
    assert judge_local(rules, here, 80, Protocol.UDP, uid=1000).action is Action.DROP
    assert judge_local(rules, here, 80, Protocol.UDP, uid=0).action is Action.ACCEPT
    assert judge_local(rules, here, 80, Protocol.UDP).action is Action.UNKNOWN


def test_rules_of_iptables() -> None:
    saved = """*filter
:INPUT DROP [0:0]
:WEB - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m multiport --dports 80,8080 -j WEB
-A WEB ! -s 192.0.2.0/24 -j REJECT --reject-with tcp-reset
-A WEB -m limit --limit 5/min -j LOG
-A WEB -j ACCEPT
"""
    rules = Ruleset(tables=iptables_rules.parse(saved, "ip", "iptables-legacy-save"), interfaces=(ETH0,))
    assert judge(rules, PACKET).action is Action.ACCEPT
    far = judge(rules, replace(PACKET, source=ip_network("198.51.100.1/32")))
    assert (far.action, far.reject_with, far.chain, far.handle) == (Action.REJECT, "tcp reset", "WEB", None)
    assert judge(rules, replace(PACKET, port=(81, 81))).action is Action.DROP
    assert judge(rules, SIX).action is Action.ACCEPT


def test_fans_and_loops_of_jumps_end() -> None:
    loop = {"a": [[{"jump": {"target": "a"}}], [{"jump": {"target": "a"}}]]}
    assert action([[{"jump": {"target": "a"}}]], chains=loop) == "unknown"
    fan = {f"x{n}": [[LIMIT, {"jump": {"target": f"x{n + 1}"}}]] * 8 for n in range(15)}
    assert action([[{"jump": {"target": "x0"}}]], chains=fan) == "unknown"


PIECES = [
    match(DPORT, 8080), match(DPORT, 1), match(SADDR, "192.0.2.9"), match(IIFNAME, "eth*"), match(STATE, "new"), LIMIT,
    match(DPORT, 8080, "!="), ACCEPT, DROP, {"return": None}, {"jump": {"target": "other"}}, {"future": {"x": 1}},
    {"goto": {"target": "other"}}, {"notrack": None}, {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}},
]  # fmt: skip
RULES = st.lists(st.lists(st.sampled_from(PIECES), max_size=4), max_size=6)


@given(RULES, RULES, st.sampled_from(["accept", "drop"]))
def test_knowing_less_never_turns_the_answer_round(rules: list[Rules], other: list[Rules], policy: str) -> None:
    """What is certain for a whole network is so for each sender in it."""
    found = ruleset(table(rules, policy=policy, chains={"other": other}))
    wide = judge(found, replace(PACKET, source=ip_network("192.0.2.0/24"))).action
    for sender in ("192.0.2.9/32", "192.0.2.10/32"):
        narrow = judge(found, replace(PACKET, source=ip_network(sender))).action
        assert wide is Action.UNKNOWN or narrow is wide


def judged(rules: list[Any], packet: Packet = PACKET) -> Judgement:
    return judge(Ruleset(tables=nft_rules.parse(json.dumps({"nftables": rules})).tables, interfaces=(ETH0,)), packet)


def test_a_map_for_some_senders_and_for_the_rest() -> None:
    some = [["192.0.2.7", DROP], ["*", ACCEPT]]
    rules = table([[{"vmap": {"key": SADDR, "data": {"set": some}}}]], policy="drop")
    assert judged(rules).action is Action.ACCEPT
    assert judged(rules, replace(PACKET, source=ip_network("192.0.2.7/32"))).action is Action.DROP
    assert judged(rules, replace(PACKET, source=ip_network("192.0.2.0/24"))).action is Action.UNKNOWN


def test_a_chain_of_interfaces_that_are_not_told_may_be_of_any() -> None:
    rules = table([[DROP]], "ingress", family="netdev")
    packet = replace(PACKET, hook=Hook.INGRESS)
    found = judged(rules, packet)
    assert (found.action, found.conditions) == (Action.UNKNOWN, ("which interfaces chain c is bound to",))
    for device, action in (("eth0", Action.DROP), ("eth1", Action.ACCEPT)):
        bound = nft_rules.bound(
            nft_rules.parse(json.dumps({"nftables": rules})).tables, {("netdev", "t", "c"): (device,)}
        )
        assert judge(Ruleset(tables=bound), packet).action is action


def test_of_a_pool_the_addresses_between_are_not_known() -> None:
    """The ends stand for all only where there is nothing between them."""
    for last, action in (("10.0.0.3", Action.UNKNOWN), ("10.0.0.2", Action.ACCEPT)):
        led = {"dnat": {"family": "ip", "addr": {"range": ["10.0.0.1", last]}}}
        found = judged(table([[led]], "prerouting", kind="nat", priority=-100), replace(PACKET, hook=Hook.PREROUTING))
        assert found.action is action


def test_which_port_of_a_span_is_taken() -> None:
    packet = replace(PACKET, hook=Hook.PREROUTING)
    for words, port in (
        ("--to-ports 8000-8100", (8080, 8080)),  # one that is in the span is kept
        ("--to-ports 8000-8100 --random", (8000, 8100)),
        ("--to-ports 9000-9100", (9000, 9100)),
    ):
        text = f"*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j REDIRECT {words}\nCOMMIT\n"
        assert judge(Ruleset(tables=iptables_rules.parse(text, "ip", "x")), packet).packet.port == port
    shifted = "-A PREROUTING -p tcp --dport 8080:8089 -j DNAT --to-destination 10.0.0.1:80-89/8080"
    text = f"*nat\n:PREROUTING ACCEPT [0:0]\n{shifted}\nCOMMIT\n"
    ruleset = Ruleset(tables=iptables_rules.parse(text, "ip", "x"))
    for asked in (8080, 8083, 8089):
        found = judge(ruleset, replace(packet, port=(asked, asked)))
        assert found.packet.port == (asked - 8000, asked - 8000)
