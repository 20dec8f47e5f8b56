"""What the service tells of itself and what its owner logged, in a made world."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.probes.made import told, world
from tests.rules.verdicts.building import case
from tests.rules.verdicts.test_answers import exchange, failed, service, web

from homeport.model.case import Case
from homeport.model.diagnosis import Outcome
from homeport.model.dialling import Failing
from homeport.model.evidence import Evidence
from homeport.probes import service as step

LINES = (Evidence("/srv/shop/error.log", "Error: no database"), Evidence("/srv/shop/error.log", "Error: still none"))


def looked(one: Case) -> Case:
    return step.look(one, world(said=LINES))


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (web(exchange(500)), True),
        (web(exchange(500), scheme=None), True),
        (web(exchange_failure=failed(Failing.TIMED_OUT), scheme=None), True),
        (web(exchange_failure=failed(Failing.CLOSED)), True),
        (web(service=None, closed_early=True), True),
        (web(exchange_failure=failed(Failing.TIMED_OUT), scheme=None, service=None), True),
        (web(exchange(200)), False),
        (web(exchange(404)), False),
        (web(scheme=None, service=service("redis")), False),
        (web(scheme="redis", service=service("redis")), False),
        (case(), False),
    ],
)
def test_the_log_is_read_where_something_is_wrong(one: Case, wanted: bool) -> None:
    assert looked(one).said == (LINES if wanted else ())


def test_the_last_answer_counts() -> None:
    assert looked(web(exchange(302), exchange(500))).said == LINES
    assert looked(web(exchange(500), exchange(200))).said == ()


def test_facts_are_told() -> None:
    one = web(exchange(), service=service("postgresql")._replace(facts=(("tls", "offered"), ("mode", "primary"))))
    found: list[Any] = [(each.outcome, each.detail, each.seconds) for each in told(step, one)]
    assert found == [(Outcome.OK, "tls: offered", None), (Outcome.OK, "mode: primary", None)]


def test_logged_errors_are_told_with_where_they_stand() -> None:
    first, second = told(step, replace(web(exchange(500), service=None), said=LINES))
    assert (first.outcome, first.detail, first.evidence) == (Outcome.ODD, "logged: Error: no database", LINES[:1])
    assert (first.seconds, second.seconds) == (0.5, None)
