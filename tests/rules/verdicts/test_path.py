"""The firewall and loopback, on built cases."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from tests.rules.verdicts.building import PORT, case, listener, process

from homeport.model.addresses import Protocol
from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.dialling import Failing
from homeport.model.explanation import Route
from homeport.model.firewall import Action, Hook, Judgement, Packet
from homeport.model.snapshot import Netns
from homeport.rules.verdicts import judge

NODE = process(100)
LISTENING = listener("0.0.0.0", PORT, NODE)


def judgement(action: Action, address: str = "127.0.0.1", port: int = PORT, **facts: Any) -> Judgement:
    """What a rule of inet filter input says."""
    packet = Packet(
        hook=Hook.INPUT, protocol=Protocol.TCP, source=ip_network("127.0.0.1/32"), destination=ip_address(address),
        port=(port, port),
    )  # fmt: skip
    known: dict[str, Any] = {
        "action": action, "rule": f"tcp dport 3000 {action.value}", "family": "inet", "table": "filter",
        "chain": "input", "handle": 7, "reject_with": None, "evidence": (), "conditions": (), "packet": packet,
    }  # fmt: skip
    return Judgement(**(known | facts))


def failed(how: Failing, one: Judgement, **facts: Any) -> Case:
    """A listener, to which connecting failed."""
    firewall = {ip_address("127.0.0.1"): one}
    return case([LISTENING], connect={"127.0.0.1": how}, firewall=firewall, **facts)


def test_dropped() -> None:
    found = judge(failed(Failing.TIMED_OUT, judgement(Action.DROP)))
    assert found.verdict is Verdict.FIREWALL_DROP
    assert found.fault is Fault.MACHINE
    assert found.cause.endswith("tcp dport 3000 drop (inet table filter, chain input)")
    assert found.remedies[0].text == "nft delete rule inet filter input handle 7"


@pytest.mark.parametrize("how", [Failing.REFUSED, Failing.RESET, Failing.UNREACHABLE, Failing.FORBIDDEN])
def test_rejected(how: Failing) -> None:
    found = judge(failed(how, judgement(Action.REJECT, reject_with="tcp reset")))
    assert found.verdict is Verdict.FIREWALL_REJECT
    assert "with tcp reset" in found.cause


@pytest.mark.parametrize("action", [Action.ACCEPT, Action.UNKNOWN])
def test_a_rule_that_does_not_say_so_is_not_to_blame(action: Action) -> None:
    assert judge(failed(Failing.TIMED_OUT, judgement(action))).verdict is Verdict.UNKNOWN


def test_a_drop_explains_no_refusal() -> None:
    assert judge(failed(Failing.REFUSED, judgement(Action.DROP))).verdict is Verdict.UNKNOWN


def test_a_policy_has_no_rule_to_delete() -> None:
    found = judge(failed(Failing.TIMED_OUT, judgement(Action.DROP, rule=None, handle=None)))
    assert "the policy of inet table filter, chain input" in found.cause
    assert found.remedies[0].text == "nft insert rule inet filter input tcp dport 3000 accept"


def test_what_connects_is_not_dropped() -> None:
    one = case([LISTENING], firewall={ip_address("127.0.0.1"): judgement(Action.DROP)}, greeting=b"hello")
    assert judge(one).verdict is Verdict.OK


def test_a_rule_before_nobody_is_not_to_blame() -> None:
    one = case(connect={"127.0.0.1": Failing.TIMED_OUT}, firewall={ip_address("127.0.0.1"): judgement(Action.DROP)})
    assert judge(one).verdict is Verdict.NOTHING_LISTENS


def test_a_rule_behind_a_translation_is() -> None:
    led = judgement(Action.DROP, "10.88.0.5", 80)
    one = case(connect={"127.0.0.1": Failing.TIMED_OUT}, firewall={ip_address("127.0.0.1"): led})
    found = judge(one)
    assert found.verdict is Verdict.FIREWALL_DROP
    # there the packet has the port that it was given
    assert "nft insert rule inet filter input tcp dport 80 accept" in [each.text for each in found.remedies]
    assert found.remedies[-1].why == f"who can reach 127.0.0.1:{PORT}"


def test_the_first_address_is_dropped_and_the_second_answers() -> None:
    some = [listener("::1", PORT, NODE), listener("127.0.0.1", PORT, NODE)]
    firewall = {ip_address("::1"): judgement(Action.DROP, "::1")}
    words: dict[str, Any] = {"name": "localhost", "firewall": firewall, "greeting": b"hello"}
    one = case(some, asked=("::1", "127.0.0.1"), connect={"::1": Failing.TIMED_OUT}, **words)
    found = judge(one)
    assert found.verdict is Verdict.FIREWALL_DROP
    assert "[::1]:3000" in found.cause
    assert "127.0.0.1:3000" in found.cause
    later = case(some, asked=("127.0.0.1", "::1"), connect={"::1": Failing.TIMED_OUT}, **words)
    assert judge(later).verdict is Verdict.OK


def test_datagrams_are_dropped() -> None:
    one = listener("127.0.0.1", PORT, NODE, protocol=Protocol.UDP)
    firewall = {ip_address("127.0.0.1"): judgement(Action.DROP)}
    assert judge(case([one], protocol=Protocol.UDP, firewall=firewall)).verdict is Verdict.FIREWALL_DROP
    assert judge(case([one], protocol=Protocol.UDP)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("facts", "remedies"),
    [
        ({"program": "nft list ruleset"}, ["iptables -I INPUT -p tcp --dport 3000 -j ACCEPT"]),
        (
            {"program": "iptables-legacy-save", "rule": '-A INPUT -m comment --comment "$(id) \\"x" -j DROP'},
            ["iptables-legacy -D INPUT -m comment --comment '$(id) \"x' -j DROP",
             "iptables-legacy -I INPUT -p tcp --dport 3000 -j ACCEPT"],
        ),
        (
            {"family": "ip6", "program": "ip6tables-nft-save", "rule": "-A INPUT -j DROP", "answering": True},
            ["ip6tables -D INPUT -j DROP", "ip6tables -I INPUT -p tcp --sport 3000 -j ACCEPT"],
        ),
        ({"table": "a;b", "chain": "INPUT"}, ["nft insert rule ip 'a;b' INPUT tcp dport 3000 accept"]),
        ({"rule": '-A INPUT --comment "x -j DROP'}, ["iptables -D 'INPUT --comment \"x -j DROP'",
         "iptables -I INPUT -p tcp --dport 3000 -j ACCEPT"]),
    ],
)  # fmt: skip
def test_remedies_are_of_the_program_that_made_the_rule(facts: dict[str, Any], remedies: list[str]) -> None:
    known = {"family": "ip", "table": "filter", "chain": "INPUT", "handle": None, "rule": None} | facts
    found = judge(failed(Failing.TIMED_OUT, judgement(Action.DROP, **known)))
    assert [one.text for one in found.remedies][:-1] == remedies


# loopback


def test_loopback_is_down() -> None:
    lost = Route(
        destination=ip_address("127.0.0.1"), kind=None, interface=None, source=None, gateway=None,
        error="Network is unreachable",
    )  # fmt: skip
    one = replace(
        case([LISTENING], connect={"127.0.0.1": Failing.NOT_THIS_MACHINE}), routes=(lost,), loopback=False,
        netns=Netns(4026531840, "shop", None, True),
    )  # fmt: skip
    found = judge(one)
    assert found.verdict is Verdict.LOOPBACK_DOWN
    assert found.remedies[0].text == "ip -n shop link set lo up"
    assert judge(replace(one, loopback=None)).verdict is Verdict.NOT_THIS_MACHINE


def test_loopback_is_up() -> None:
    one = case([LISTENING], connect={"127.0.0.1": Failing.TIMED_OUT}, loopback=True)
    assert judge(one).verdict is Verdict.UNKNOWN
