"""WebSocket and gRPC, in a made world: when they are tried, and how what came of it is told."""

from __future__ import annotations

from typing import Any

import pytest
from tests.probes.made import told, world
from tests.rules.verdicts.test_answers import exchange, failed, web
from tests.rules.verdicts.test_tls import tls

from homeport.model.case import Case
from homeport.model.diagnosis import Outcome, Verdict
from homeport.model.dialling import Failing
from homeport.model.http import Exchange, Health, Upgrade
from homeport.probes import upgrade as step
from homeport.rules.verdicts import judge


def socket(agreed: bool = True, refusal: str | None = None, answer: Exchange | None = None, **facts: Any) -> Upgrade:
    return Upgrade(agreed=agreed, refusal=refusal, exchange=answer or exchange(101), **facts)


def health(status: str = "OK", serving: str | None = "SERVING", message: str = "") -> Health:
    return Health(status=status, message=message, serving=serving, exchange=exchange(200, version="HTTP/2"))


def carried(one: Case, answer: Any) -> tuple[Case, list[bool]]:
    """The case after the step, and for each try whether it was within TLS."""
    tries: list[bool] = []

    def carry(_: Case, *, tls: bool) -> Any:
        tries.append(tls)
        return answer

    return step.look(one, world(carried=carry)), tries


@pytest.mark.parametrize(
    ("facts", "tries"),
    [
        ({"scheme": "ws"}, [False]),
        ({"scheme": "wss", "tls": tls()}, [True]),
        ({"scheme": "wss", "tls": None}, [False]),
        ({"scheme": "ws", "tls": tls()}, [False]),
        ({"scheme": "ws", "closed_early": True}, []),
        ({"scheme": "ws", "attempts": ()}, []),
        ({"scheme": "ws", "untouched": "a debugger"}, []),
    ],
)
def test_when_it_is_tried(facts: dict[str, Any], tries: list[bool]) -> None:
    assert carried(web(**facts), socket())[1] == tries


def test_a_websocket_takes_the_place_of_the_page() -> None:
    before = web(exchange(426), scheme="ws", exchange_failure=failed(Failing.TIMED_OUT))
    found, _ = carried(before, socket())
    assert [one.status for one in found.exchanges] == [101]
    assert found.exchange_failure is None
    assert judge(found).verdict is Verdict.OK


def test_a_page_is_no_websocket() -> None:
    found, _ = carried(web(exchange(200), scheme="ws"), socket(False, "it answered 200 OK", exchange(200)))
    assert judge(found).verdict is Verdict.WRONG_PROTOCOL


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (health(), Verdict.OK),
        (health("UNIMPLEMENTED", None), Verdict.OK),
        (health("OK", "NOT_SERVING"), Verdict.SERVICE_ERROR),
        (health("INTERNAL", None, "no database"), Verdict.SERVICE_ERROR),
    ],
)
def test_the_health_of_grpc(answer: Health, wanted: Verdict) -> None:
    found, _ = carried(web(exchange_failure=failed(Failing.ONLY_HTTP2), scheme="grpc", service=None), answer)
    assert found.health is answer
    assert judge(found).verdict is wanted


@pytest.mark.parametrize("answer", [None, failed(Failing.TIMED_OUT)])
def test_what_came_before_stays_where_nothing_comes_of_it(answer: Any) -> None:
    before = web(exchange(200), scheme="grpc")
    assert carried(before, answer)[0] == before


@pytest.mark.parametrize(
    ("facts", "outcome", "detail"),
    [
        ({"upgrade": socket()}, Outcome.OK, "WebSocket: opened"),
        (
            {"upgrade": socket(protocol="graphql-ws", closed_cleanly=True)},
            Outcome.OK,
            "WebSocket (graphql-ws): opened, and closed in good order",
        ),
        ({"upgrade": socket(False, "it answered 404")}, Outcome.FAILED, "no WebSocket: it answered 404"),
        ({"health": health()}, Outcome.OK, "gRPC, grpc.health.v1.Health/Check: OK, SERVING"),
        ({"health": health("UNIMPLEMENTED", None)}, Outcome.OK, "gRPC, grpc.health.v1.Health/Check: UNIMPLEMENTED"),
        (
            {"health": health("OK", "NOT_SERVING", "busy")},
            Outcome.ODD,
            "gRPC, grpc.health.v1.Health/Check: OK, busy, NOT_SERVING",
        ),
    ],
)
def test_how_it_is_told(facts: dict[str, Any], outcome: Outcome, detail: str) -> None:
    (line,) = told(step, web(**facts))
    assert (line.outcome, line.detail) == (outcome, detail)


def test_nothing_is_told_where_neither_was_meant() -> None:
    assert told(step, web(exchange())) == []
