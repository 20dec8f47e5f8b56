"""What comes back, or does not, on built cases."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from tests.rules.verdicts.building import PORT, case, condition, listener, process

from homeport.model.case import Case, Queue, Wish
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.dialling import MID_HEADER, TLS_ALERT, Failing, Failure, Target
from homeport.model.evidence import Confidence, Evidence
from homeport.model.http import Exchange, Redirect
from homeport.model.services import WIRE, Service
from homeport.rules.verdicts import judge
from homeport.rules.verdicts.kind import Finding

NODE = process(100)
SPOKEN = (Evidence(WIRE, "it said so"),)


def service(protocol: str, *, tls: bool = False, spoke: bool = True, **facts: str) -> Service:
    """One that was recognised by its words, or by its program alone."""
    evidence = SPOKEN if spoke else (Evidence("/proc/100/exe", "node"),)
    return Service(protocol, None, None, tls, Confidence.CERTAIN, evidence, tuple(facts.items()))


def exchange(status: int = 200, path: str = "/", **facts: Any) -> Exchange:
    """One over plain HTTP/1.1."""
    known: dict[str, Any] = {
        "target": Target(ip_address("127.0.0.1"), PORT), "url": f"http://127.0.0.1:{PORT}{path}", "status": status,
        "reason": "", "version": "HTTP/1.1", "headers": (), "body": b"", "cut": False, "first_byte": 0.01,
        "seconds": 0.01,
    }  # fmt: skip
    return Exchange(**(known | facts))


def redirection(to: str, redirect: Redirect = Redirect.HERE, path: str = "/") -> Exchange:
    return exchange(302, path, location=to, redirect=redirect)


def failed(failing: Failing) -> Failure:
    return Failure(failing, failing.value, None, 0.1)


def web(*exchanges: Exchange, **facts: Any) -> Case:
    """http:// to a server of Node, and what it answered."""
    known: dict[str, Any] = {"scheme": "http", "service": service("http"), "exchanges": exchanges, "greeting": b""}
    return case([listener("127.0.0.1", PORT, NODE)], **(known | facts))


def verdict(one: Case) -> Verdict:
    return judge(one).verdict


def remedies(one: Finding) -> list[str]:
    return [each.text for each in one.remedies]


@pytest.mark.parametrize(
    ("scheme", "spoken", "wanted"),
    [
        ("http", "redis", Verdict.WRONG_PROTOCOL),
        ("http", "ssh", Verdict.WRONG_PROTOCOL),
        ("https", "postgresql", Verdict.WRONG_PROTOCOL),
        ("redis", "http", Verdict.WRONG_PROTOCOL),
        ("redis", "redis", Verdict.OK),
        ("valkey", "redis", Verdict.OK),
        ("postgres", "postgresql", Verdict.OK),
        (None, "redis", Verdict.OK),
        ("gopher", "redis", Verdict.OK),
    ],
)
def test_what_is_spoken_and_what_was_asked_for(scheme: str | None, spoken: str, wanted: Verdict) -> None:
    assert verdict(web(scheme=scheme, service=service(spoken))) is wanted


def test_the_right_scheme_is_named() -> None:
    assert remedies(judge(web(service=service("postgresql")))) == [f"homeport check postgresql://127.0.0.1:{PORT}"]


def test_there_is_no_scheme_for_everything() -> None:
    (found,) = judge(web(service=service("memcached"))).remedies
    assert found.text == "use a client for memcached"


@pytest.mark.parametrize(
    ("failing", "wanted"),
    [
        (Failing.TIMED_OUT, Verdict.NO_ANSWER),
        (Failing.CLOSED, Verdict.CLOSED_EARLY),
        (Failing.RESET, Verdict.CLOSED_EARLY),
        (Failing.ONLY_HTTP2, Verdict.HTTP2_ONLY),
    ],
)
@pytest.mark.parametrize("known", [service("http"), service("http", spoke=False), None])
def test_a_request_without_an_answer(failing: Failing, wanted: Verdict, known: Service | None) -> None:
    found = judge(web(service=known, exchange_failure=failed(failing), path="/slow?token=hush"))
    assert found.verdict is wanted
    assert "hush" not in str(found)


def test_another_path_was_answered() -> None:
    found = judge(web(exchange_failure=failed(Failing.TIMED_OUT), path="/slow"))
    assert "answers" in found.cause
    assert "GET /slow" in found.cause


def test_a_service_of_another_kind_need_not_answer_http() -> None:
    one = web(scheme=None, service=service("redis"), exchange_failure=failed(Failing.CLOSED))
    assert verdict(one) is Verdict.OK


def test_nothing_at_all() -> None:
    assert verdict(web(service=None, exchange_failure=failed(Failing.TIMED_OUT))) is Verdict.NO_ANSWER
    assert verdict(web(service=None, closed_early=True)) is Verdict.CLOSED_EARLY


def test_a_program_is_no_answer() -> None:
    one = web(scheme=None, service=service("redis", spoke=False))
    assert verdict(one) is Verdict.NO_ANSWER


@pytest.mark.parametrize(("scheme", "wanted"), [("http", Verdict.HTTP2_ONLY), (None, Verdict.HTTP2_ONLY)])
def test_http2_alone(scheme: str | None, wanted: Verdict) -> None:
    found = judge(web(scheme=scheme, service=service("http/2"), exchange_failure=failed(Failing.ONLY_HTTP2)))
    assert (found.verdict, found.fault) == (wanted, Fault.CLIENT)
    assert found.remedies[0].text.endswith("--http2")


@pytest.mark.parametrize("scheme", ["http", None])
def test_http2_was_asked_for_and_there_is_none(scheme: str | None) -> None:
    found = judge(web(scheme=scheme, exchange_failure=failed(Failing.NOT_HTTP), wish=Wish(http2=True)))
    assert (found.verdict, found.fault) == (Verdict.WRONG_PROTOCOL, Fault.CLIENT)
    assert "HTTP/1.1 only" in found.cause
    assert remedies(found) == [f"homeport check http://127.0.0.1:{PORT}/"]


def test_http2_as_it_was_asked_for() -> None:
    one = web(exchange(version="HTTP/2"), service=service("http/2"), wish=Wish(http2=True))
    assert verdict(one) is Verdict.OK


def test_grpc_by_its_port_alone() -> None:
    one = web(scheme=None, service=service("grpc"), exchange_failure=failed(Failing.ONLY_HTTP2))
    assert verdict(one) is Verdict.OK


def test_a_service_that_cannot_serve() -> None:
    found = judge(web(scheme=None, service=service("postgresql", access="sorry, too many clients already")))
    assert found.verdict is Verdict.SERVICE_ERROR
    assert "too many clients" in found.cause


def test_a_service_that_says_that_it_is_starting() -> None:
    assert verdict(web(scheme=None, service=service("postgresql", state="starting"))) is Verdict.STARTING


@pytest.mark.parametrize(("age", "wanted"), [(1.0, Verdict.STARTING), (3600.0, Verdict.HTTP_ERROR)])
def test_unavailable_and_young_or_not(age: float, wanted: Verdict) -> None:
    assert verdict(web(exchange(503), conditions=(condition(NODE, age=age),))) is wanted


def test_an_unknown_greeting() -> None:
    one = web(scheme=None, service=None, greeting=b"welcome\r\n")
    assert verdict(one) is Verdict.OK
    assert verdict(replace(one, scheme="http")) is Verdict.WRONG_PROTOCOL


def not_http(detail: str) -> Case:
    return web(service=None, exchange_failure=Failure(Failing.NOT_HTTP, detail, None, 0.1))


def test_what_comes_back_is_no_http() -> None:
    found = judge(not_http("no HTTP response: 'what?'"))
    assert (found.verdict, found.confidence) == (Verdict.WRONG_PROTOCOL, Confidence.LIKELY)
    assert "what?" in found.cause
    assert remedies(found) == [f"homeport check 127.0.0.1:{PORT}"]
    assert verdict(replace(not_http("no HTTP response"), scheme=None)) is Verdict.OK


def test_an_alert_of_tls_is_no_http() -> None:
    found = judge(not_http(TLS_ALERT))
    assert found.verdict is Verdict.TLS_EXPECTED
    assert remedies(found) == [f"homeport check https://127.0.0.1:{PORT}/"]


def test_the_middle_of_a_header_is_a_word() -> None:
    found = judge(web(service=None, exchange_failure=Failure(Failing.CLOSED, MID_HEADER, None, 0.1)))
    assert found.verdict is Verdict.CLOSED_EARLY
    assert "without a word" not in found.cause


@pytest.mark.parametrize(
    ("word", "there"),
    [
        ("TCP:127.0.0.1:9", "127.0.0.1:9"),
        ("--upstream=http://localhost:8081/x", "localhost:8081"),
        ("[::1]:5432,keepalive", "[::1]:5432"),
        (f"127.0.0.1:{PORT}", None),
        ("127.0.0.1:0", None),
        ("127.0.0.1:99999", None),
        ("10.127.0.0.1:80", None),
        ("shop.localhost:80", None),
        ("198.51.100.7:80", None),
    ],
)
def test_where_a_forwarder_passes_connections_on_to(word: str, there: str | None) -> None:
    held = listener("127.0.0.1", PORT, process(100, "socat", f"TCP-LISTEN:{PORT}", word))
    found = judge(case([held], scheme="http", service=None, greeting=b"", closed_early=True))
    assert found.verdict is Verdict.CLOSED_EARLY
    expected = [] if there is None else [f"homeport check {there}"]
    assert remedies(found) == [*expected, f"homeport logs {PORT}"]


def test_who_hangs_can_be_ended() -> None:
    one = web(service=None, exchange_failure=failed(Failing.TIMED_OUT), queue=Queue(waiting=2, backlog=128))
    found = judge(one)
    assert found.verdict is Verdict.NO_ANSWER
    assert "kill 100" in remedies(found)


def test_a_server_that_ends_meanwhile() -> None:
    found = judge(web(service=None, exchange_failure=failed(Failing.REFUSED)))
    assert (found.verdict, found.confidence) == (Verdict.NOTHING_LISTENS, Confidence.LIKELY)
    assert "has ended since" in found.cause
