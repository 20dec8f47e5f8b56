"""Rule sets as nft prints them, and hostile ones."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.model.firewall import (
    Action,
    Hook,
    Match,
    Maybe,
    Opaque,
    Reject,
    SetMark,
    Translate,
    TranslateMap,
    Untrack,
    Verdict,
    VerdictMap,
)
from homeport.wire.nft_rules import devices, parse

EVERYTHING = """
table inet t {
 set s4 { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.1.5, 172.16.0.1-172.16.0.9 }; }
 set ports { type inet_service; flags interval; elements = { 80, 8000-8100 }; }
 set pairs { type ipv4_addr . inet_service; elements = { 1.2.3.4 . 80 }; }
 map verdicts { type inet_service : verdict; elements = { 22 : accept, 23 : drop, 24 : jump other }; }
 map places { type inet_service : ipv4_addr . inet_service; elements = { 8080 : 10.1.1.1 . 80 }; }
 chain other { return; }
 chain in { type filter hook input priority filter; policy drop;
  iif lo accept
  iifname "eth*" counter accept
  iifname { "a", "b*" } drop
  ct state established,related accept
  ct state vmap { invalid : drop, established : accept }
  ct state { new, untracked } accept
  ct state != new drop
  ct status dnat accept
  ip saddr @s4 tcp dport @ports accept
  ip saddr . tcp dport @pairs accept
  tcp dport vmap @verdicts
  tcp dport { 1-3, 5 } jump other
  meta l4proto { tcp, udp } th dport 53 goto other
  meta nfproto ipv6 reject with icmpx admin-prohibited
  meta l4proto tcp reject with tcp reset
  tcp flags & (fin|syn|rst|ack) == syn limit rate 10/minute accept
  tcp flags syn accept
  meta mark 0x1 accept
  meta mark & 0xff == 0x12 accept
  fib daddr type local accept
  fib saddr . iif oif missing drop
  meta skuid 1000 accept
  ip6 saddr fe80::/10 accept
  log prefix "x y" level info drop comment "hello"
  ip saddr != 10.0.0.0/8 drop
  ct original ip daddr 1.2.3.4 accept
  quota over 5 mbytes drop
  ct direction reply accept
  meta pkttype broadcast drop
  tcp dport != { 1, 2 } drop
  ip daddr & 255.255.255.0 == 10.0.0.0 accept
  tcp sport < 1024 drop
  tcp dport >= 1024 accept
 }
 chain pre { type nat hook prerouting priority -100;
  dnat ip addr . port to tcp dport map @places
  tcp dport 80 redirect to :8080
  tcp dport 81 dnat ip to 10.0.0.1:8080
  tcp dport 82 dnat ip to 10.0.0.1-10.0.0.4
  tcp dport 83 dnat ip6 to [fd00::1]:8080
  tcp dport 84 redirect to :tcp dport map { 84 : 85 }
  tcp dport 85 redirect
 }
 chain post { type nat hook postrouting priority 100; oif lo masquerade; ip saddr 1.2.3.4 snat ip to 5.6.7.8; }
 chain raw { type filter hook prerouting priority raw; tcp dport 99 notrack; }
}
table netdev nd {
 chain ing { type filter hook ingress device lo priority 0; drop; }
}
"""


@pytest.fixture(scope="module")
def told() -> tuple[str, set[str]]:
    """What nft makes of it: the JSON, and each line of the text, from a namespace that ends at once."""
    script = "nft -f - && nft --json list ruleset && echo && nft list ruleset"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script],
        input=EVERYTHING,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    recorded, _, text = done.stdout.partition("\n")
    return recorded, {line.strip() for line in text.split("\n")}


def test_rules_are_told_in_nfts_own_words(told: tuple[str, set[str]]) -> None:
    recorded, lines = told
    parsed = parse(recorded)
    rules = [rule for table in parsed.tables for one in table.chains for rule in one.rules]
    assert len(rules) == 45
    assert [rule.text for rule in rules if rule.text not in lines] == []
    assert not parsed.hidden


def test_everything_in_it_is_understood(told: tuple[str, set[str]]) -> None:
    for table in parse(told[0]).tables:
        for one in table.chains:
            for rule in one.rules:
                assert not any(isinstance(each, Opaque) for each in rule.statements), rule.text
                doubtful = [each.text for each in rule.statements if isinstance(each, Maybe)]
                assert doubtful in ([], ["limit rate 10/minute"], ["quota over 5 mbytes"]), rule.text


def test_chains_and_their_hooks(told: tuple[str, set[str]]) -> None:
    inet, netdev = parse(told[0]).tables
    found = {one.name: (one.kind, one.hook, one.priority, one.policy) for one in inet.chains}
    assert found["in"] == ("filter", Hook.INPUT, 0, Action.DROP)
    assert found["pre"] == ("nat", Hook.PREROUTING, -100, Action.ACCEPT)
    assert found["raw"] == ("filter", Hook.PREROUTING, -300, Action.ACCEPT)
    assert found["other"][1] is None
    assert (netdev.family, netdev.chains[0].hook) == ("netdev", Hook.INGRESS)


def rule(*expressions: object, **more: object) -> dict[str, object]:
    return {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 7, "expr": list(expressions), **more}}


def text(*objects: object) -> str:
    table = {"table": {"family": "ip", "name": "t"}}
    chain = {"chain": {"family": "ip", "table": "t", "name": "c", "type": "filter", "hook": "input", "prio": 0}}
    return json.dumps({"nftables": [{"metainfo": {}}, table, chain, *objects]})


def statements(*expressions: object, more: tuple[object, ...] = ()) -> tuple[object, ...]:
    (table,) = parse(text(*more, rule(*expressions))).tables
    return table.chains[0].rules[0].statements


def match(left: object, right: object, op: str = "==") -> dict[str, object]:
    return {"match": {"op": op, "left": left, "right": right}}


DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
MARK = {"meta": {"key": "mark"}}


@pytest.mark.parametrize(
    ("expression", "fields", "items", "negated"),
    [
        (match(DPORT, 80), ("tcp dport",), (((80, 80),),), False),
        (match(DPORT, {"range": [1, 9]}, "!="), ("tcp dport",), (((1, 9),),), True),
        (match(DPORT, {"set": [7, {"elem": {"val": {"range": [8, 9]}, "timeout": 3}}]}), ("tcp dport",),
         (((7, 7),), ((8, 9),)), False),
        (match(DPORT, 5, "<"), ("tcp dport",), (((0, 4),),), False),
        (match(DPORT, 0, "<"), ("tcp dport",), (), False),
        (match(SADDR, {"prefix": {"addr": "10.0.0.0", "len": 31}}), ("ip saddr",), (((167772160, 167772161),),), False),
        (match({"meta": {"key": "iifname"}}, "eth*"), ("iifname",), (("eth*",),), False),
        (match({"meta": {"key": "l4proto"}}, 6), ("l4proto",), (("tcp",),), False),
        (match({"ct": {"key": "state"}}, ["new", "related"], "in"), ("ct state",), (("new",), ("related",)), False),
        (match({"concat": [SADDR, DPORT]}, {"concat": ["1.2.3.4", {"set": [1, 2]}]}), ("ip saddr", "tcp dport"),
         (((16909060, 16909060), (1, 1)), ((16909060, 16909060), (2, 2))), False),
        (match(DPORT, "*"), ("tcp dport",), (((0, (1 << 128) - 1),),), False),
    ],
)  # fmt: skip
def test_a_match(expression: object, fields: object, items: object, negated: bool) -> None:
    (found,) = statements(expression)
    assert isinstance(found, Match)
    assert (found.lookup.fields, found.lookup.items, found.negated) == (fields, items, negated)


def test_masks_and_flags() -> None:
    flags = {"payload": {"protocol": "tcp", "field": "flags"}}
    (masked,) = statements(match({"&": [flags, ["fin", "syn"]]}, "syn"))
    assert isinstance(masked, Match)
    assert (masked.lookup.items, masked.lookup.mask, masked.negated) == ((((2, 2),),), 3, False)
    (newer,) = statements(match({"&": [flags, {"|": ["fin", "syn"]}]}, "syn", "!="))
    assert isinstance(newer, Match)
    assert (newer.lookup.mask, newer.negated) == (3, True)
    (any_of,) = statements(match(flags, ["syn", "ack"], "in"))
    assert isinstance(any_of, Match)
    assert (any_of.lookup.items, any_of.lookup.mask, any_of.negated) == ((((0, 0),),), 18, True)


def test_named_sets_are_put_in_and_missing_ones_are_not_guessed() -> None:
    named = {"set": {"family": "ip", "table": "t", "name": "s", "type": "inet_service", "elem": [80, 81]}}
    (found,) = statements(match(DPORT, "@s"), more=(named,))
    assert isinstance(found, Match)
    assert found.lookup.items == (((80, 80),), ((81, 81),))
    assert statements(match(DPORT, "@gone")) == (Maybe("tcp dport @gone"),)
    empty = {"set": {"family": "ip", "table": "t", "name": "s", "type": "inet_service"}}
    (nothing,) = statements(match(DPORT, "@s"), more=(empty,))
    assert isinstance(nothing, Match)
    assert nothing.lookup.items == ()


def test_verdicts_translations_and_marks() -> None:
    assert statements({"accept": None}) == (Verdict("accept"),)
    assert statements({"jump": {"target": "x"}}) == (Verdict("jump", "x"),)
    assert statements({"reject": None}) == (Reject("icmp port-unreachable"),)
    assert statements({"reject": {"type": "tcp reset"}}) == (Reject("tcp reset"),)
    assert statements({"notrack": None}) == (Untrack(),)
    (vmap,) = statements(
        {"vmap": {"key": DPORT, "data": {"set": [[22, {"drop": None}], [80, {"goto": {"target": "w"}}]]}}}
    )
    assert isinstance(vmap, VerdictMap)
    assert vmap.verdicts == (Verdict("drop"), Verdict("goto", "w"))
    (dnat,) = statements({"dnat": {"addr": "10.0.0.1", "port": 80}})
    assert isinstance(dnat, Translate)
    assert (str(dnat.addresses), dnat.ports) == ("(IPv4Address('10.0.0.1'), IPv4Address('10.0.0.1'))", (80, 80))
    by_map = {"map": {"key": DPORT, "data": {"set": [[1, {"concat": ["1.2.3.4", 5]}]]}}}
    (mapped,) = statements({"dnat": {"family": "ip", "addr": by_map}})
    assert isinstance(mapped, TranslateMap)
    assert mapped.translations[0].ports == (5, 5)
    assert statements({"mangle": {"key": MARK, "value": {"|": [MARK, 8]}}}) == (SetMark(0xFFFFFFF7, 8),)
    assert statements({"mangle": {"key": MARK, "value": {"^": [{"&": [MARK, 0xF0]}, 1]}}}) == (SetMark(0xF0, 1),)
    assert statements({"mangle": {"key": MARK, "value": {"ct": {"key": "mark"}}}}) == (SetMark(None, None),)


def test_what_is_not_understood_is_never_consent() -> None:
    assert statements({"queue": {"num": 1}}) == (Opaque("queue"),)
    assert statements({"tproxy": {"port": 1}}) == (Opaque("tproxy"),)
    assert statements({"future": {"thing": 1}}) == (Opaque("future"),)
    assert statements({"dnat": {"addr": {"range": [1, 2]}}}) == (Opaque("dnat to 1-2"),)
    assert isinstance(statements(match({"time": 1}, 2))[0], Maybe | Match)
    assert statements({"xt": {"type": "target", "name": "X"}}) == (Opaque("xt target X"),)
    assert statements({"xt": {"type": "match", "name": "X"}}) == (Maybe("xt match X"),)
    assert statements(match({"ct": {"key": "status"}}, "dnat", "!=")) == (Maybe("ct status != dnat"),)


def test_rules_of_iptables_are_told_as_hidden() -> None:
    assert parse(text(rule({"xt": {"type": "target", "name": "DNAT"}}))).hidden == frozenset({("ip", "t")})
    assert parse(text(rule({"xt": {"type": "match", "name": "comment"}}))).hidden == frozenset()


def test_a_dormant_table_hooks_nowhere() -> None:
    raw = json.loads(text(rule({"drop": None})))
    raw["nftables"][1]["table"]["flags"] = "dormant"
    (table,) = parse(json.dumps(raw)).tables
    assert table.chains[0].hook is None


@pytest.mark.parametrize("hostile", ["", "{", "[]", "3", '{"nftables": 3}', "[" * 100_000, b"\xff\xfe\xff"])
def test_what_is_no_rule_set_is_refused(hostile: str | bytes) -> None:
    with pytest.raises(WireError):
        parse(hostile)


KEYS = ["rule", "chain", "set", "map", "table", "family", "name", "type", "hook", "prio", "policy", "dev", "flags",
        "expr", "match", "left", "right", "op", "payload", "protocol", "field", "jump", "goto", "target", "dnat",
        "snat", "redirect", "addr", "port", "range", "elem", "val", "meta", "key", "fib", "result", "xt", "comment",
        "vmap", "data", "concat", "prefix", "len", "&", "|", "^", "mangle", "value", "ct", "dir", "stmt",
        "limit", "reject", "numgen", "handle", "accept", "drop", "log", "counter", "quota", "queue"]  # fmt: skip
WORDS = ["nat", "prerouting", "inet", "c", "t", "ip", "tcp", "dport", "daddr", "saddr", "==", "!=", "<", "in",
         "10.0.0.1", "fd00::1", "l4proto", "iifname", "mark", "state", "new", "status", "@s", "s", "*", "flags", "syn",
         "type"]  # fmt: skip
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)


@given(st.lists(shapes, max_size=4), st.lists(shapes, max_size=4))
def test_any_json_is_read_or_refused(items: list[object], expressions: list[object]) -> None:
    named = {"set": {"family": "ip", "table": "t", "name": "s", "elem": items}}
    values: list[Any] = [items, {"nftables": items}, json.loads(text(named, rule(*expressions), *items))]
    for value in values:
        try:
            for table in parse(json.dumps(value)).tables:
                assert all(isinstance(one.rules, tuple) for one in table.chains)
        except WireError:
            pass


CHAINS = """table netdev n {
\tchain c {
\t\ttype filter hook ingress device "eth0" priority filter; policy drop;
\t}
\tchain d {
\t\ttype filter hook egress devices = { e0, "e1" } priority filter - 5; policy accept;
\t}
}
table inet t {
\tchain c {
\t\ttype filter hook input priority filter; policy accept;
\t}
}
"""


def test_the_interfaces_of_chains_are_in_the_text() -> None:
    assert devices(CHAINS) == {("netdev", "n", "c"): ("eth0",), ("netdev", "n", "d"): ("e0", "e1")}


@given(st.text() | st.sampled_from(CHAINS.splitlines()).map(lambda line: line[: len(line) // 2]))
def test_any_text_has_some_interfaces_or_none(text: str) -> None:
    assert isinstance(devices(text), dict)


def test_a_chain_without_a_name_is_told_in_its_own_words() -> None:
    rule = {"family": "inet", "table": "t", "chain": "c", "expr": ["jump {\n\t\tip saddr 10.0.0.1 accept\n\t}"]}
    (table,) = parse(json.dumps({"nftables": [{"rule": rule}]})).tables
    assert table.chains[0].rules[0].statements == (Opaque("jump { ip saddr 10.0.0.1 accept }"),)
