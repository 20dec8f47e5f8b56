"""What speaks there, in a made world: who is asked, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.probes.made import told, world
from tests.rules.verdicts.building import PORT, case, listener, process
from tests.rules.verdicts.test_answers import service

from homeport.model.addresses import Protocol
from homeport.model.case import Attempt, Case, Queue
from homeport.model.diagnosis import Outcome
from homeport.model.dialling import Failing, Failure
from homeport.model.services import Service
from homeport.probes import protocol as step

NODE = process(100)


def connected(**facts: Any) -> Case:
    return case([listener("127.0.0.1", PORT, NODE)], **facts)


def asked(one: Case) -> bool:
    """Whether the listener is asked what it speaks."""
    questions: list[Case] = []

    def recognise(each: Case) -> Service:
        questions.append(each)
        return service("http")

    found = step.look(one, world(recognise=recognise))
    assert (found.service is not None) is bool(questions)
    return bool(questions)


def led_away(one: Case) -> Case:
    failure = Failure(Failing.NOT_THIS_MACHINE, "ssh -L leads to another machine", None, 0.0)
    return replace(
        one, attempts=(*one.attempts, Attempt(address=one.attempts[0].address, seconds=0.0, failure=failure))
    )


def test_who_is_connected_is_asked() -> None:
    assert asked(connected())
    assert asked(connected(greeting=b"220 hello\r\n"))


@pytest.mark.parametrize(
    "facts",
    [
        {"closed_early": True},
        {"untouched": "a debugger: a connection would harm it"},
        {"connect": {"127.0.0.1": Failing.TIMED_OUT}},
        {"greeting": b"", "queue": Queue(waiting=1, backlog=128)},
    ],
)
def test_who_is_better_left_alone(facts: dict[str, Any]) -> None:
    assert not asked(connected(**facts))


def test_nobody_is_asked_where_bytes_leave_or_nobody_listens() -> None:
    assert not asked(led_away(connected()))
    assert not asked(case())


def test_datagrams_are_asked_without_a_connection() -> None:
    held = listener("127.0.0.1", PORT, NODE, protocol=Protocol.UDP)
    assert asked(case([held], protocol=Protocol.UDP))
    assert not asked(case(protocol=Protocol.UDP))


@pytest.mark.parametrize(
    ("found", "outcome", "detail"),
    [
        (service("redis"), Outcome.OK, "redis"),
        (service("http", tls=True), Outcome.OK, "http in TLS"),
        (service("http")._replace(product="nginx", version="1.22.1"), Outcome.OK, "http: nginx 1.22.1"),
        (
            service("jdwp", spoke=False)._replace(product="OpenJDK"),
            Outcome.ODD,
            "jdwp: OpenJDK, as its program makes likely: it said nothing",
        ),
        (None, Outcome.ODD, "not recognised: it said nothing that proves a protocol"),
    ],
)
def test_how_it_is_told(found: Service | None, outcome: Outcome, detail: str) -> None:
    (line,) = told(step, connected(service=found))
    assert (line.outcome, line.detail) == (outcome, detail)
    assert line.evidence == (() if found is None else found.evidence)


def test_nothing_is_told_of_who_was_not_reached() -> None:
    assert told(step, case()) == []
