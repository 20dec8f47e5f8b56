"""Servers that stand before others, on built cases: who is behind, by what they logged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.rules.verdicts.building import PORT, case, condition, listener, process
from tests.rules.verdicts.test_answers import exchange, service, verdict, web

from homeport.model.case import Case
from homeport.model.diagnosis import RemedyKind, Verdict
from homeport.model.evidence import Evidence
from homeport.rules.verdicts import judge
from homeport.rules.verdicts.gateways import behind, gateway

NGINX = (("server", "nginx/1.22.1"),)
REFUSED = (
    "2026/11/28 11:55:29 [error] 65#65: *3 connect() failed (111: Connection refused) while connecting to upstream, "
    'client: 127.0.0.1, server: , request: "GET /cart?token=hush HTTP/1.1", upstream: "http://127.0.0.1:4000/cart", '
    'host: "localhost"'
)
UNIX = REFUSED.replace("http://127.0.0.1:4000/cart", "http://unix:/run/shop.sock:/cart")
FASTCGI = REFUSED.replace("http://127.0.0.1:4000/cart", "fastcgi://127.0.0.1:9000")
APACHE = "(111)Connection refused: AH00957: http: attempt to connect to 127.0.0.1:4000 (127.0.0.1:4000) failed"
CADDY = "dial tcp 127.0.0.1:4000: connect: connection refused"


def asked(status: int, *lines: str, headers: tuple[tuple[str, str], ...] = NGINX) -> Case:
    one = web(exchange(status, "/cart?token=hush", headers=headers), path="/cart?token=hush", path_is_default=False)
    return replace(one, said=tuple(Evidence("/var/log/error.log", line) for line in lines))


@pytest.mark.parametrize(
    ("line", "place", "remedy"),
    [
        (REFUSED, "127.0.0.1:4000", "homeport check http://127.0.0.1:4000/"),
        (FASTCGI, "127.0.0.1:9000", "homeport check 127.0.0.1:9000"),
        (UNIX, "unix:/run/shop.sock", "start the server that makes /run/shop.sock"),
        (APACHE, "127.0.0.1:4000", "homeport check 127.0.0.1:4000"),
        (CADDY, "127.0.0.1:4000", "homeport check 127.0.0.1:4000"),
    ],
)
def test_who_is_behind(line: str, place: str, remedy: str) -> None:
    found = judge(asked(502, "something else", line))
    assert found.verdict is Verdict.HTTP_ERROR
    assert f"does not get an answer from {place}, the server behind it" in found.cause
    assert found.remedies[0].text == remedy
    assert "hush" not in found.cause


def test_another_request_says_nothing_of_this_one() -> None:
    assert behind(asked(502, REFUSED.replace("/cart?", "/basket?"))) is None
    newest = REFUSED.replace("4000", "5000")
    assert behind(asked(502, REFUSED, newest)) is not None
    assert "127.0.0.1:5000" in judge(asked(502, REFUSED, newest)).cause


def test_503_is_no_lack_of_an_answer_for_nginx() -> None:
    assert "is told to say so" in judge(asked(503)).cause
    assert "does not get an answer from the server behind it" in judge(asked(502)).cause
    assert "does not get an answer" in judge(asked(503, headers=(("server", "Caddy"),))).cause


def test_a_young_gateway_is_not_starting() -> None:
    young = (condition(process(100, "haproxy"), age=1.0),)
    held = [listener("127.0.0.1", PORT, process(100, "haproxy"))]
    gate = case(held, scheme="http", service=service("http"), exchanges=(exchange(503),), conditions=young)
    assert gateway(gate) == "haproxy"
    assert verdict(gate) is Verdict.HTTP_ERROR
    own = replace(web(exchange(503)), conditions=(condition(process(100), age=1.0),))
    assert gateway(own) is None
    assert verdict(own) is Verdict.STARTING


def test_other_errors_are_the_servers_own() -> None:
    found = judge(asked(500, REFUSED))
    assert "behind" not in found.cause
    assert all(one.kind is RemedyKind.COMMAND for one in found.remedies)
