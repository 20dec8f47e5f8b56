"""Reach in sentences."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from homeport.model.addresses import IPAddress, Protocol, Scope
from homeport.model.evidence import Evidence
from homeport.model.firewall import Hook
from homeport.model.owners import Reason, Unattributed
from homeport.model.reach import Answer, From, Origin, Reach, Reached, Stop, Way
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules.reach_advice import advice, nothing, opening, reason, sentences

HOST = ip_address("192.0.2.2")


def listener(address: str, protocol: Protocol = Protocol.TCP) -> Listener:
    socket = Socket(protocol, State.LISTEN, ip_address(address), 8080, None, None, 1, 1, 1, 0, 0, 1, None, None)
    return Listener(socket, Scope.EVERY, (), Unattributed(Reason.KERNEL, "", 0))


def way(address: IPAddress, answer: Answer, *why: str, routed: bool = False, conditions: tuple[str, ...] = ()) -> Way:
    evidence = (Evidence("bind address", "x"), *(Evidence("somewhere", text) for text in why))
    return Way(
        address=address, port=8080, answer=answer, connects=answer is Answer.YES, routed=routed, leaves=False,
        why=evidence, conditions=conditions,
    )  # fmt: skip


def reached(kind: From, answer: Answer, one: Way | None) -> Reached:
    origin = Origin(kind=kind, name=f"the {kind}", netns=1, interface="eth0", networks=(), sources=())
    return Reached(origin=origin, answer=answer, way=one, ways=() if one is None else (one,))


def report(bound: str, *some: Reached, netns: str | None = None, protocol: Protocol = Protocol.TCP) -> Reach:
    local = reached(From.MACHINE, Answer.YES, way(ip_address("127.0.0.1"), Answer.YES, "it is bound"))
    return Reach(listener=listener(bound, protocol), netns=netns, reached=(local, *some))


def kinds(one: Reach, *, sshd: int | None = 22) -> list[str]:
    return [each.kind for each in advice(one, host=HOST, user="me", sshd=sshd, published=False)]


def test_yes_with_the_address_to_use() -> None:
    one = report("0.0.0.0", reached(From.NETWORK, Answer.YES, way(HOST, Answer.YES, "it is bound")))
    assert list(sentences("127.0.0.1:8080", ip_address("127.0.0.1"), [one])) == [
        "127.0.0.1:8080 always means the machine on which it is typed: another machine has to be told another address.",
        "Yes, from another machine it is 192.0.2.2:8080 (the network).",
    ]
    assert kinds(one) == ["confine"]


def test_several_listeners_have_a_sentence_each() -> None:
    open_one = report("0.0.0.0", reached(From.NETWORK, Answer.YES, way(HOST, Answer.YES, "it is bound")))
    closed = report("::1", reached(From.NETWORK, Answer.NO, way(HOST, Answer.NO, "it is loopback")))
    assert list(sentences(":8080", None, [open_one, closed])) == [
        "0.0.0.0:8080: Yes, from another machine it is 192.0.2.2:8080 (the network).",
        "[::1]:8080: No, not from another machine: it listens only on ::1, which is for this machine alone.",
    ]


def test_no_with_the_reason_and_what_to_do() -> None:
    one = report("127.0.0.1", reached(From.NETWORK, Answer.NO, way(HOST, Answer.NO, "it is loopback")))
    assert list(sentences(":8080", None, [one])) == [
        "No, not from another machine: it listens only on 127.0.0.1, which is for this machine alone."
    ]
    assert kinds(one) == ["tunnel", "bind", "proxy"]
    tunnel = next(advice(one, host=HOST, user="me", sshd=2222, published=False))
    assert tunnel.text == "ssh -p 2222 -N -L 8080:127.0.0.1:8080 me@192.0.2.2"
    without = next(advice(one, host=HOST, user="me", sshd=None, published=False))
    assert "no SSH server" in without.risk


def test_where_this_machine_does_not_get_itself_no_tunnel_helps() -> None:
    stopped = way(HOST, Answer.NO, "dropped by drop")
    one = report("127.0.0.1", reached(From.NETWORK, Answer.NO, stopped))
    here = reached(From.MACHINE, Answer.NO, way(HOST, Answer.NO, "dropped by drop"))
    assert kinds(replace(one, reached=(here, *one.reached[1:]))) == ["bind", "firewall"]


def test_no_by_a_rule_names_the_rule() -> None:
    stopped = way(HOST, Answer.NO, "dropped by tcp dport 8080 drop")
    one = report("0.0.0.0", reached(From.NETWORK, Answer.NO, stopped))
    found = {each.kind: each.text for each in advice(one, host=HOST, user="me", sshd=22, published=False)}
    assert found["firewall"] == "let it through before this rule: dropped by tcp dport 8080 drop (somewhere)"
    assert all(each.risk for each in advice(one, host=HOST, user="me", sshd=22, published=False))


NFT = Stop("nft list ruleset", None, ("inet", "t", "c"), 7, 2, Hook.INPUT, 8080, True)
NETWORK = ip_network("192.0.2.0/24")


@pytest.mark.parametrize(
    ("stop", "command"),
    [
        (NFT, "nft insert rule inet t c handle 7 ip saddr 192.0.2.0/24 tcp dport 8080 accept"),
        (NFT._replace(handle=None, number=None), "nft add rule inet t c ip saddr 192.0.2.0/24 tcp dport 8080 accept"),
        (NFT._replace(handle=None), None),
        (NFT._replace(hook=Hook.FORWARD), None),
        (NFT._replace(own=False), None),
        (
            NFT._replace(program="iptables-nft-save", place=("ip", "filter", "INPUT"), handle=None),
            "iptables-nft -I INPUT 2 -s 192.0.2.0/24 -p tcp --dport 8080 -j ACCEPT",
        ),
        (
            NFT._replace(program="iptables-legacy-save", place=("ip", "mangle", "a b; c"), handle=None, number=None),
            "iptables-legacy -t mangle -A 'a b; c' -s 192.0.2.0/24 -p tcp --dport 8080 -j ACCEPT",
        ),
        (NFT._replace(manager="ufw"), "ufw prepend allow from 192.0.2.0/24 to any port 8080 proto tcp"),
        (
            NFT._replace(manager="firewalld"),
            "firewall-cmd --add-rich-rule='rule family=ipv4 source address=192.0.2.0/24 port port=8080 protocol=tcp"
            " accept'",
        ),
    ],
)
def test_what_to_type_before_a_rule(stop: Stop, command: str | None) -> None:
    assert opening(stop, NETWORK, "tcp") == command


def test_who_sends_packets_here_on_purpose_is_no_ordinary_client() -> None:
    routed = way(ip_address("127.0.0.1"), Answer.YES, "x", routed=True)
    one = report("0.0.0.0", reached(From.NETWORK, Answer.UNKNOWN, routed))
    (said,) = sentences(":8080", None, [one])
    assert said == (
        "No, not in the ordinary way: only a neighbour who sends packets for 127.0.0.1 to this machine on purpose gets"
        " in, as 127.0.0.1:8080."
    )


def test_maybe_says_on_what_it_depends() -> None:
    limited = way(HOST, Answer.UNKNOWN, "x", conditions=("limit rate 5/minute",))
    one = report("0.0.0.0", reached(From.NETWORK, Answer.UNKNOWN, limited))
    (said,) = sentences(":8080", None, [one])
    assert said == "Perhaps from another machine, as 192.0.2.2:8080: it depends on: limit rate 5/minute."
    routed = reached(From.NETWORK, Answer.UNKNOWN, way(ip_address("10.0.0.1"), Answer.YES, "x", routed=True))
    assert reason(routed) == "only who sends packets for 10.0.0.1 by way of this machine"


def test_a_yes_tells_the_rules_that_led_there() -> None:
    led = way(HOST, Answer.YES, "-A X -j DNAT --to-destination 10.0.0.2:80", "accepted by iif lo accept", "it is bound")
    assert reason(reached(From.NETWORK, Answer.YES, led)) == (
        "it is bound; -A X -j DNAT --to-destination 10.0.0.2:80; accepted by iif lo accept"
    )


def test_datagrams_are_not_tunnelled() -> None:
    one = report("127.0.0.1", reached(From.NETWORK, Answer.NO, way(HOST, Answer.NO, "x")), protocol=Protocol.UDP)
    assert kinds(one) == ["bind"]


def test_without_networks_or_listeners() -> None:
    assert list(sentences(":1", None, [report("0.0.0.0")])) == [
        "No, not from another machine: this machine has no network that others are on."
    ]
    assert nothing(":1", ()) == "Nothing listens at :1: nobody can connect."
    assert nothing("192.0.2.9:1", (HOST,)) == "192.0.2.9:1 is not an address of this machine."
    assert reason(reached(From.NETWORK, Answer.NO, None)) == "no address of it is one that they can reach"
