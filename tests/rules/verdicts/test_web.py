"""HTTP on built cases: statuses, redirections, refused hosts, proxies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.rules.verdicts.building import PORT
from tests.rules.verdicts.test_answers import exchange, failed, redirection, remedies, verdict, web

from homeport.model.case import Wish
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence
from homeport.model.http import Redirect
from homeport.rules.verdicts import judge

VITE = b'Blocked request. This host ("shop.test") is not allowed.\nTo allow this host, add it to `server.allowedHosts`'


@pytest.mark.parametrize("status", [200, 204, 304, 404, 401, 403, 405])
def test_at_the_root_a_living_server_may_say_so(status: int) -> None:
    assert verdict(web(exchange(status))) is Verdict.OK


@pytest.mark.parametrize(
    ("status", "fault"),
    [(400, Fault.CLIENT), (401, Fault.CLIENT), (404, Fault.CLIENT), (500, Fault.SERVER), (502, Fault.SERVER)],
)
def test_at_a_path_that_was_asked_for(status: int, fault: Fault) -> None:
    found = judge(web(exchange(status, "/cart?token=hush"), path="/cart?token=hush", path_is_default=False))
    assert (found.verdict, found.fault) == (Verdict.HTTP_ERROR, fault)
    assert "hush" not in str(found)


def test_a_gateway() -> None:
    found = judge(web(exchange(502, headers=(("server", "nginx/1.22.1"),))))
    assert "nginx/1.22.1 does not get an answer from the server behind it" in found.cause


def test_a_login() -> None:
    one = exchange(401, "/cart", headers=(("www-authenticate", 'Basic realm="shop"'),))
    found = judge(web(one, path="/cart", path_is_default=False))
    assert 'Basic realm="shop"' in found.remedies[0].why


def test_a_host_that_is_refused_in_known_words() -> None:
    found = judge(web(exchange(403, body=VITE), wish=Wish(host="shop.test")))
    assert (found.verdict, found.confidence) == (Verdict.HOST_REFUSED, Confidence.CERTAIN)
    assert remedies(found)[0] == "in vite.config.js: server: { allowedHosts: ['shop.test'] }"


def test_a_host_that_is_refused_as_another_is_not() -> None:
    found = judge(web(exchange(421), as_localhost=exchange(200)))
    assert (found.verdict, found.confidence) == (Verdict.HOST_REFUSED, Confidence.LIKELY)


@pytest.mark.parametrize("status", [400, 403, 421])
def test_who_refuses_everybody_refuses_no_host(status: int) -> None:
    one = web(exchange(status, "/cart"), as_localhost=exchange(status), path="/cart", path_is_default=False)
    assert verdict(one) is Verdict.HTTP_ERROR


def test_a_host_that_gets_no_answer() -> None:
    one = web(exchange_failure=failed(Failing.CLOSED), as_localhost=exchange(200))
    found = judge(one)
    assert (found.verdict, found.confidence) == (Verdict.HOST_REFUSED, Confidence.LIKELY)
    assert remedies(found)[0] == f"homeport check http://localhost:{PORT}/"


def test_a_circle() -> None:
    one = redirection("/cart?token=hush", Redirect.LOOP, "/cart?token=hush")
    found = judge(web(one))
    assert found.verdict is Verdict.REDIRECT_LOOP
    assert "hush" not in str(found)


def test_no_end() -> None:
    found = judge(web(*(redirection(f"/{number + 1}", path=f"/{number}") for number in range(9)),
                      redirection("/10", Redirect.TOO_MANY, "/9")))  # fmt: skip
    assert found.verdict is Verdict.REDIRECT_LOOP
    assert "10 times" in found.cause


@pytest.mark.parametrize("redirect", [Redirect.ELSEWHERE, Redirect.UNREADABLE])
def test_away(redirect: Redirect) -> None:
    found = judge(web(redirection("https://shop.example/?token=hush", redirect)))
    assert found.verdict is Verdict.REDIRECT_ELSEWHERE
    assert "hush" not in str(found)


def test_to_what_is_left_alone() -> None:
    one = replace(redirection("//localhost:9100/?token=hush", Redirect.UNTOUCHED), untouched="it may be a printer")
    found = judge(web(one))
    assert found.verdict is Verdict.REDIRECT_ELSEWHERE
    assert found.cause.endswith("which was not followed: it may be a printer")
    assert remedies(found)[1] == "homeport check http://localhost:9100/"
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("failing", "wanted"),
    [
        (Failing.REFUSED, Verdict.NOTHING_LISTENS),
        (Failing.TIMED_OUT, Verdict.NO_ANSWER),
        (Failing.CLOSED, Verdict.CLOSED_EARLY),
        (Failing.NOT_TLS, Verdict.PLAIN_EXPECTED),
        (Failing.ALERT, Verdict.TLS_FAILED),
        (Failing.NOT_HTTP, Verdict.WRONG_PROTOCOL),
    ],
)
def test_a_redirection_to_a_place_that_does_not_answer(failing: Failing, wanted: Verdict) -> None:
    found = judge(web(redirection("http://localhost:9/cart?token=hush"), exchange_failure=failed(failing)))
    assert (found.verdict, found.fault) == (wanted, Fault.SERVER)
    assert remedies(found)[0] == "homeport check http://localhost:9/cart"
    assert "hush" not in str(found)


def test_a_relative_redirection_is_told_in_full() -> None:
    found = judge(web(redirection("/login", path="/cart"), exchange_failure=failed(Failing.TIMED_OUT)))
    assert remedies(found)[0] == f"homeport check http://127.0.0.1:{PORT}/login"


def test_a_redirection_that_ends_well() -> None:
    assert verdict(web(redirection("/login"), exchange(200, "/login"))) is Verdict.OK


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"http_proxy": "http://127.0.0.1:9"}, Verdict.PROXY_IN_THE_WAY),
        ({"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}, Verdict.OK),
        ({"http_proxy": "http://127.0.0.1:9", "no_proxy": "localhost"}, Verdict.PROXY_IN_THE_WAY),
        ({"https_proxy": "http://127.0.0.1:9"}, Verdict.OK),
        ({}, Verdict.OK),
    ],
)
def test_a_proxy(environment: dict[str, str], wanted: Verdict) -> None:
    assert verdict(web(exchange(), environment=environment)) is wanted


def test_an_error_is_told_before_a_proxy() -> None:
    assert verdict(web(exchange(500), environment={"http_proxy": "http://127.0.0.1:9"})) is Verdict.HTTP_ERROR


P = {"http_proxy": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("environment", "remedy"),
    [
        (P, "export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1"),
        (P | {"NO_PROXY": "shop.test"}, "export NO_PROXY=shop.test,127.0.0.1 no_proxy=shop.test,127.0.0.1"),
        (P | {"no_proxy": "a, b", "NO_PROXY": "b,c"}, "export NO_PROXY=a,b,c,127.0.0.1 no_proxy=a,b,c,127.0.0.1"),
        (P | {"no_proxy": "*.test"}, "export NO_PROXY='*.test,127.0.0.1' no_proxy='*.test,127.0.0.1'"),
        (P | {"no_proxy": "*"}, "unset http_proxy"),
    ],
)
def test_what_was_spared_stays_spared(environment: dict[str, str], remedy: str) -> None:
    found = judge(web(exchange(), environment=environment))
    assert found.verdict is Verdict.PROXY_IN_THE_WAY
    assert found.remedies[0].text == remedy


@pytest.mark.parametrize(
    ("broken", "wanted"),
    [
        (None, Verdict.OK),
        (Failing.CLOSED, Verdict.CLOSED_EARLY),
        (Failing.RESET, Verdict.CLOSED_EARLY),
        (Failing.TIMED_OUT, Verdict.NO_ANSWER),
    ],
)
def test_a_body_that_is_not_whole(broken: Failing | None, wanted: Verdict) -> None:
    found = judge(web(exchange(broken=broken, headers=(("content-length", "60"),))))
    assert found.verdict is wanted
    assert broken is None or "of 60 bytes" in found.cause
