"""The steps down to the first bytes, in a made world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.probes.made import told, world
from tests.rules.verdicts.building import HERE, PORT, THERE, case, claim, condition, listener, process

from homeport.model.addresses import Endpoint, IPAddress, Protocol
from homeport.model.case import Attempt, Case, Queue
from homeport.model.diagnosis import Layer, Outcome, Verdict
from homeport.model.dialling import Failing, Failure
from homeport.model.evidence import Evidence
from homeport.model.explanation import AddressExplanation, Resolution, Route
from homeport.model.firewall import Action, Hook, Judgement, Packet
from homeport.model.snapshot import Listener, Netns
from homeport.model.sockets import State
from homeport.probes import PROBES, connect, firewall, first_bytes, name, route
from homeport.probes import listener as sockets
from homeport.probes.kind import Greeting, Surroundings
from homeport.rules.verdicts import judge

NODE = process(100)
LOOPBACK = ip_address("127.0.0.1")
REFUSED = Failure(Failing.REFUSED, "Connection refused", 111, 0.0)


def surroundings(*listening: Listener, here: tuple[str, ...] = ("127.0.0.1",), **facts: Any) -> Surroundings:
    """What a look finds, at addresses of this machine."""
    known: dict[str, Any] = {
        "name": None, "error": None, "addresses": (), "here": tuple(ip_address(one) for one in here), "away": (),
        "listening": listening, "own": Netns(HERE, None, 1, True), "namespaces": {HERE: None}, "limits": (),
    }  # fmt: skip
    return Surroundings(**(known | facts))


def opened(protocol: Protocol | None = None, typed: str | None = None) -> Case:
    """A case of which nothing is known yet."""
    blank = case()
    endpoint = Endpoint(protocol, None if typed else LOOPBACK, PORT)
    return replace(blank, endpoint=endpoint, name=typed, candidates=(), attempts=(), netns=None)


def test_every_layer_has_a_step() -> None:
    assert {one.layer for one in PROBES} == set(Layer)


# name


def test_candidates_are_in_a_clients_order() -> None:
    one, other = listener("::1", PORT, NODE), listener("127.0.0.1", PORT, process(200))
    found = name.look(opened(), world(survey=surroundings(one, other, here=("::1", "127.0.0.1"))))
    assert [each.listener for each in found.candidates] == [one, other]
    assert found.protocol is Protocol.TCP


def test_the_beaten_are_kept() -> None:
    first, second = listener("127.0.0.1", PORT, NODE), listener("0.0.0.0", PORT, process(200))
    (found,) = name.look(opened(), world(survey=surroundings(second, first))).candidates
    assert (found.listener, found.beaten) == (first, (second,))


def test_a_port_that_only_udp_has_is_udp() -> None:
    datagrams = listener("127.0.0.1", PORT, NODE, protocol=Protocol.UDP)
    assert name.look(opened(), world(survey=surroundings(datagrams))).protocol is Protocol.UDP
    both = surroundings(datagrams, listener("127.0.0.1", PORT, NODE))
    assert name.look(opened(), world(survey=both)).protocol is Protocol.TCP
    assert name.look(opened(Protocol.TCP), world(survey=surroundings(datagrams))).protocol is Protocol.TCP


def explained(*resolutions: Resolution) -> tuple[AddressExplanation, ...]:
    """Addresses with who said them."""
    blank: dict[str, Any] = dict.fromkeys(AddressExplanation.__dataclass_fields__)
    blank |= {"routes": (), "interfaces": (), "resolutions": resolutions, "address": LOOPBACK}
    return (AddressExplanation(**blank),)


def test_localhost_of_two_listeners_says_how_clients_take_it() -> None:
    some = listener("::1", PORT, NODE), listener("127.0.0.1", PORT, process(200))
    both = tuple(
        Resolution(name="localhost", address=ip_address(one), source="/etc/hosts:1") for one in ("::1", "127.0.0.1")
    )
    seen = surroundings(*some, here=("::1", "127.0.0.1"), name="localhost", addresses=explained(*both))
    found = name.look(opened(typed="localhost"), world(survey=seen))
    lines = told(name, found)
    assert lines[0].detail == "localhost → ::1, 127.0.0.1 (/etc/hosts:1)"
    assert {one.detail.split()[0] for one in lines[1:]} == {"Python", "Node.js", "curl", "browsers"}


def test_a_name_that_gives_nothing() -> None:
    seen = surroundings(here=(), error="Name or service not known")
    found = name.look(opened(typed="shop.test"), world(survey=seen))
    (line,) = told(name, found)
    assert (line.outcome, line.detail) == (
        Outcome.FAILED,
        "shop.test gives no address: Name or service not known",
    )


def test_lines_that_have_the_name_in_vain() -> None:
    vain = Evidence("/etc/hosts:2", "127.0.0.1:3000 shop.test (its first word is no address)")
    seen = surroundings(here=(), error="Name or service not known", in_vain=(vain,))
    found = name.look(opened(typed="shop.test"), world(survey=seen))
    assert told(name, found)[1].detail == f"/etc/hosts:2 has it in vain: {vain.text}"
    verdict = judge(found)
    assert "/etc/hosts:2 has it in vain" in verdict.cause
    assert verdict.remedies[0].text == "in /etc/hosts:2: 127.0.0.1 shop.test"


# route


def test_routes() -> None:
    def way(text: str, kind: str | None, by: str | None, error: str | None = None) -> Route:
        return Route(
            destination=ip_address(text), kind=kind, interface=by, source=None, gateway=None, error=error
        )  # fmt: skip

    ways = way("127.0.0.1", "local", "lo"), way("192.0.2.7", "unicast", "eth0"), way("::1", None, None, "No route")
    found = route.look(replace(case(), routes=ways, away=(ip_address("192.0.2.7"),)), world(loopback=False))
    assert [(one.outcome, one.detail) for one in told(route, found)] == [
        (Outcome.OK, "127.0.0.1 stays on this machine by lo"),
        (Outcome.FAILED, "192.0.2.7 would leave this machine by eth0: nothing is sent"),
        (Outcome.FAILED, "::1: No route"),
        (Outcome.FAILED, "the loopback interface lo is down"),
    ]


# listener


def test_who_listens_and_how_it_is() -> None:
    one = listener("0.0.0.0", PORT, NODE, queue=(3, 2))
    found = sockets.look(case([one]), world(conditions=(condition(NODE, state="T", descriptors=9, limit=9),)))
    assert found.queue == Queue(waiting=3, backlog=2)
    lines = [each.detail for each in told(sockets, found)]
    assert lines[0] == "127.0.0.1:3000: node server.js (pid 100), listening on 0.0.0.0:3000"
    assert "3 connections wait for accept, of 3 that may" in lines
    assert "node server.js (pid 100): stopped, 9 of 9 descriptors open" in lines


def test_everyone_who_shares_the_port_is_looked_at() -> None:
    other = process(200)
    some = listener("127.0.0.1", PORT, NODE, inode=1), listener("127.0.0.1", PORT, other, inode=2)
    found = sockets.look(
        case(some), world(conditions=lambda one: tuple(condition(each.process) for each in one.owners))
    )
    assert [one.process.pid for one in found.conditions] == [100, 200]


def test_others_on_the_port_are_told() -> None:
    some = (
        listener("127.0.0.1", PORT, NODE, netns=THERE), listener("127.0.0.1", PORT, NODE, protocol=Protocol.UDP),
        listener("127.0.0.1", PORT, NODE, state=State.BOUND_INACTIVE),
    )  # fmt: skip
    lines = [one.detail for one in told(sockets, sockets.look(case(some), world()))]
    assert lines[0] == "127.0.0.1:3000: nobody listens"
    assert any("in another network namespace" in one for one in lines)
    assert any("(udp)" in one for one in lines)
    assert lines[-1].endswith("has bound 127.0.0.1:3000, and does not listen")


def test_unix_sockets_with_the_port_in_their_name_are_told() -> None:
    found = name.look(opened(), world(survey=surroundings(unix_sockets=("/run/postgresql/.s.PGSQL.3000",))))
    lines = [each.detail for each in told(sockets, sockets.look(found, world()))]
    assert lines[-1] == "a server listens on the Unix socket /run/postgresql/.s.PGSQL.3000"
    assert judge(found).verdict is Verdict.NOTHING_LISTENS


# firewall


def judgement(action: Action, **facts: Any) -> Judgement:
    packet = Packet(
        hook=Hook.INPUT, protocol=Protocol.TCP, source=ip_network("127.0.0.1/32"), destination=LOOPBACK,
        port=(PORT, PORT),
    )  # fmt: skip
    known: dict[str, Any] = {
        "action": action, "rule": None, "family": None, "table": None, "chain": None, "handle": None,
        "reject_with": None, "evidence": (), "conditions": (), "packet": packet,
    }  # fmt: skip
    return Judgement(**(known | facts))


def test_addresses_with_one_judgement_share_a_line() -> None:
    one = case([listener("::", PORT, NODE)], asked=("127.0.0.1", "::1"))
    found = firewall.look(one, world(judge=judgement(Action.ACCEPT)))
    (line,) = told(firewall, found)
    assert line.detail == "127.0.0.1:3000, [::1]:3000: no rule is in the way"


def test_each_action_has_its_words() -> None:
    rule = {"rule": "tcp dport 3000 drop", "family": "inet", "table": "filter", "chain": "input"}
    expected: Mapping[Judgement, tuple[Outcome, str]] = {
        judgement(Action.DROP, **rule): (Outcome.FAILED, "drop: tcp dport 3000 drop (inet table filter, chain input)"),
        judgement(Action.REJECT, **{**rule, "rule": None}): (
            Outcome.FAILED, "reject: the policy (inet table filter, chain input)",
        ),
        judgement(Action.UNKNOWN, conditions=("limit rate 1/second",)): (
            Outcome.SKIPPED, "cannot be told: depends on limit rate 1/second",
        ),
        judgement(Action.UNKNOWN, conditions=("the firewall's rules were not read: nft: no",)): (
            Outcome.SKIPPED, "cannot be told: the firewall's rules were not read: nft: no",
        ),
    }  # fmt: skip
    for one, (outcome, detail) in expected.items():
        (line,) = told(firewall, firewall.look(case([listener("127.0.0.1", PORT, NODE)]), world(judge=one)))
        assert (line.outcome, line.detail) == (outcome, f"127.0.0.1:3000: {detail}")


# connect


def attempts(*ends: Failure | None) -> Callable[[tuple[IPAddress, ...], int], tuple[Attempt, ...]]:
    def attempt(addresses: tuple[IPAddress, ...], port: int) -> tuple[Attempt, ...]:
        assert port == PORT
        return tuple(Attempt(address=one, seconds=0.1, failure=end) for one, end in zip(addresses, ends, strict=True))

    return attempt


def untried(*some: Listener, **facts: Any) -> Case:
    return replace(case(some, **facts), attempts=())


def test_the_address_that_connects_is_what_the_case_is_about() -> None:
    one = untried(listener("127.0.0.1", PORT, NODE), asked=("::1", "127.0.0.1"))
    found = connect.look(one, world(attempt=attempts(REFUSED, None)))
    assert found.address == LOOPBACK
    assert [each.outcome for each in told(connect, found)] == [Outcome.FAILED, Outcome.OK]


def test_claims_are_looked_for_where_nobody_listens() -> None:
    asked: list[str] = []

    def claims(_: Case) -> tuple[Any, ...]:
        asked.append("claims")
        return (claim(NODE, age=1.0),)

    found = connect.look(untried(), world(attempt=attempts(REFUSED), claims=claims))
    assert judge(found).verdict is Verdict.STARTING
    connect.look(untried(listener("127.0.0.1", PORT, NODE)), world(attempt=attempts(None), claims=claims))
    connect.look(untried(listener("127.0.0.2", PORT, NODE)), world(attempt=attempts(REFUSED), claims=claims))
    assert asked == ["claims"]
    bound = listener("127.0.0.1", PORT, NODE, state=State.BOUND_INACTIVE)
    connect.look(untried(bound), world(attempt=attempts(REFUSED), claims=claims))
    assert asked == ["claims", "claims"]


def test_a_listener_that_ended_meanwhile_is_none() -> None:
    one = untried(listener("127.0.0.1", PORT, NODE))
    loop = (claim(NODE, age=0.1, restarts=2),)
    found = connect.look(one, world(attempt=attempts(REFUSED), again=None, claims=loop))
    assert found.listener is None
    assert judge(found).verdict is Verdict.CRASH_LOOP
    kept = connect.look(one, world(attempt=attempts(REFUSED), claims=loop))
    assert kept.listener is not None


def test_datagrams_are_not_connected() -> None:
    one = untried(listener("127.0.0.1", PORT, NODE, protocol=Protocol.UDP), protocol=Protocol.UDP)
    (line,) = told(connect, connect.look(one, world()))
    assert line.outcome is Outcome.SKIPPED


# first bytes


def greeted(said: bytes, ended: bool = False, **answers: Any) -> Case:
    one = case([listener("127.0.0.1", PORT, NODE)])
    return first_bytes.look(one, world(greeting=Greeting(said, ended), **answers))


def test_a_greeting() -> None:
    found = greeted(b"220 hello\r\nmore")
    assert found.greeting == b"220 hello\r\nmore"
    assert [one.detail for one in told(first_bytes, found)] == ["says at once: 220 hello"]


def test_an_end_without_a_word() -> None:
    found = greeted(b"", ended=True)
    assert found.closed_early
    assert [one.outcome for one in told(first_bytes, found)] == [Outcome.FAILED]
    assert not greeted(b"bye", ended=True).closed_early


def test_where_the_listener_ends_too_who_was_told_the_port_is_watched() -> None:
    watched = (claim(NODE, restarts=2),)
    assert greeted(b"", ended=True, again=lambda _: None, claims=watched).claims == watched
    assert greeted(b"", ended=True, claims=watched).claims == ()
    one = case([listener("127.0.0.1", PORT, NODE)])
    refused = first_bytes.look(one, world(greeting=REFUSED, again=lambda _: None, claims=watched))
    assert (refused.greeting, refused.closed_early, refused.claims) == (None, False, watched)


def test_silence_is_looked_into() -> None:
    (line,) = told(first_bytes, greeted(b""))
    assert line.detail == "waits to be spoken to"
    waiting = greeted(b"", again=lambda one: one._replace(socket=one.socket._replace(receive_queue=2)))
    assert waiting.queue == Queue(waiting=2, backlog=128)
    (line,) = told(first_bytes, waiting)
    assert line.detail == "the connection waits in the kernel: the program has not accepted it"


def test_no_connection_no_greeting() -> None:
    one = case()
    assert first_bytes.look(one, world()) is one
    assert told(first_bytes, one) == []


@given(st.binary(max_size=200))
def test_whatever_is_said_is_one_short_line(said: bytes) -> None:
    for one in told(first_bytes, greeted(said)):
        assert "\n" not in one.detail
        assert len(one.detail) < 400
        one.detail.encode()


@pytest.mark.parametrize(
    ("typed", "source", "said"),
    [
        ("shop", "resolver", True),
        ("shop", "/etc/hosts:3", False),
        ("shop.", "resolver", False),
        ("localhost", "resolver", False),
    ],
)
def test_search_domains_are_told_where_they_matter(typed: str, source: str, said: bool) -> None:
    address = ip_address("127.0.0.1")
    known = explained(Resolution(name=typed, address=address, source=source))
    found = surroundings(addresses=known, search=("lan.example",), name=typed)
    made = name.look(opened(typed=typed), world(survey=found))
    assert (made.search == ("lan.example",)) is said
    assert any("shop.lan.example" in each.detail for each in told(name, made)) is said
