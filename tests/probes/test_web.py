"""The HTTP request, in a made world: when it is made, over what, with which Host, and how it is told."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from tests.probes.made import told, world
from tests.rules.verdicts.building import condition, process
from tests.rules.verdicts.test_answers import NODE, exchange, failed, redirection, service, web
from tests.rules.verdicts.test_tls import tls

from homeport.model.case import Case, Queue, Wish
from homeport.model.diagnosis import Outcome, Verdict
from homeport.model.dialling import Failing, Failure
from homeport.model.http import Exchange
from homeport.probes import web as step
from homeport.rules.verdicts import judge

Answer = tuple[tuple[Exchange, ...], Failure | None]


class Request(NamedTuple):
    tls: bool
    host: str | None


def requested(one: Case, *answers: Answer) -> tuple[Case, list[Request]]:
    """The case after the step, and the requests that were made; the last answer is for all further ones."""
    made: list[Request] = []

    def request(_: Case, *, tls: bool, host: str | None = None) -> Answer:
        made.append(Request(tls, host))
        return answers[min(len(made), len(answers)) - 1] if answers else ((exchange(),), None)

    return step.look(one, world(request=request)), made


PLAIN, SECURE = Request(False, None), Request(True, None)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, [PLAIN]),
        ({"scheme": None}, [PLAIN]),
        ({"scheme": "http", "service": service("redis")}, [PLAIN]),
        ({"scheme": None, "service": service("redis")}, []),
        ({"scheme": "redis", "service": service("redis")}, []),
        ({"scheme": "redis", "service": None}, []),
        # who says nothing, and was asked by the port alone, may be a slow web server
        ({"scheme": None, "service": None}, [PLAIN]),
        ({"scheme": None, "service": service("http", spoke=False)}, [PLAIN]),
        ({"scheme": None, "service": None, "greeting": b"220 hello\r\n"}, []),
        ({"closed_early": True}, []),
        ({"attempts": ()}, []),
        ({"scheme": "https", "tls": tls()}, [SECURE]),
        ({"scheme": "https", "tls": failed(Failing.ALERT)}, [SECURE]),
        ({"scheme": "https", "tls": None}, [PLAIN]),
        ({"scheme": "http", "tls": tls()}, [PLAIN]),
        ({"scheme": None, "tls": tls()}, [SECURE]),
        ({"scheme": None, "tls": tls(), "wish": Wish(plain=True)}, [PLAIN]),
    ],
)
def test_when_a_request_is_made(facts: dict[str, Any], wanted: list[Request]) -> None:
    found, made = requested(web(**facts))
    assert made == wanted
    assert bool(found.exchanges) is bool(wanted)


def test_printers_are_sent_nothing() -> None:
    one = web(scheme=None, service=None)
    printer = one.endpoint._replace(port=9100)
    assert requested(web(scheme=None, service=None, endpoint=printer))[1] == []


@pytest.mark.parametrize("status", [400, 403, 421])
def test_a_refused_host_is_asked_again_as_localhost(status: int) -> None:
    answers = (((exchange(status),), None), ((exchange(200),), None))
    found, made = requested(web(wish=Wish(host="shop.test")), *answers)
    assert made == [PLAIN, Request(False, "localhost")]
    assert found.exchanges[0].status == status
    assert found.as_localhost is not None
    assert found.as_localhost.status == 200
    assert judge(found).verdict is Verdict.HOST_REFUSED


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500])
def test_other_answers_are_not_asked_again(status: int) -> None:
    assert requested(web(wish=Wish(host="shop.test")), ((exchange(status),), None))[1] == [PLAIN]


def test_localhost_is_not_asked_as_itself() -> None:
    refused = ((exchange(403),), None)
    assert requested(web(name="localhost"), refused)[1] == [PLAIN]
    assert requested(web(wish=Wish(host="localhost")), refused)[1] == [PLAIN]


@pytest.mark.parametrize(
    ("failing", "again"), [(Failing.CLOSED, True), (Failing.RESET, True), (Failing.TIMED_OUT, False)]
)
def test_who_hangs_up_may_mean_the_host(failing: Failing, again: bool) -> None:
    answers = (((), failed(failing)), ((exchange(200),), None))
    found, made = requested(web(), *answers)
    assert (len(made) == 2) is again
    assert (found.as_localhost is not None) is again
    # nobody knows that it speaks HTTP at all: no second try
    assert len(requested(web(service=None), *answers)[1]) == 1


def test_who_sleeps_is_not_waited_for() -> None:
    asleep = {"queue": Queue(waiting=1, backlog=128), "service": None}
    stopped = (condition(NODE, state="T"),)
    found, made = requested(web(conditions=stopped, **asleep))
    assert made == []
    assert lines(found) == [(Outcome.SKIPPED, "not asked: nobody runs who could accept the connection")]
    assert judge(found).verdict is Verdict.STOPPED
    assert requested(web(conditions=(*stopped, condition(process(200))), **asleep))[1] == [PLAIN]
    assert requested(web(conditions=stopped, queue=Queue(waiting=0, backlog=128), service=None))[1] == [PLAIN]


def lines(one: Case) -> list[tuple[Outcome, str]]:
    return [(each.outcome, each.detail) for each in told(step, one)]


def test_each_hop_is_told_without_its_secrets() -> None:
    one = web(redirection("/login?token=hush", path="/cart?token=hush"), exchange(404, "/login"), exchange(503))
    found = lines(one)
    assert found[0] == (Outcome.OK, "GET http://127.0.0.1:3000/cart?… → 302 (HTTP/1.1)")
    assert [outcome for outcome, _ in found] == [Outcome.OK, Outcome.ODD, Outcome.FAILED]
    assert "hush" not in str(found)


def test_the_server_is_evidence() -> None:
    (line,) = told(step, web(exchange(200, headers=(("server", "nginx"),))))
    assert [each.text for each in line.evidence] == ["HTTP/1.1 200, Server: nginx"]
    assert line.seconds == 0.01


def test_what_did_not_come() -> None:
    assert lines(web(exchange_failure=failed(Failing.TIMED_OUT))) == [(Outcome.FAILED, "no answer: timed-out")]
    broken = lines(web(exchange(broken=Failing.TIMED_OUT)))
    assert broken[-1] == (Outcome.FAILED, "the body of the answer is not whole: timed out")
