"""Names, on built cases."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from tests.rules.verdicts.building import PORT, case, listener, process

from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence
from homeport.model.explanation import Resolution, Route
from homeport.rules.verdicts import judge

NODE = process(100)


def well(*asked: str, name: str) -> Case:
    """A server that answers, asked by a name that gives these addresses."""
    return case([listener("0.0.0.0", PORT, NODE)], asked=asked, name=name, greeting=b"hello")


def test_a_name_that_gives_nothing() -> None:
    found = judge(replace(case(name="shop.test"), name_error="Name or service not known", candidates=()))
    assert found.verdict is Verdict.NAME_RESOLUTION
    assert found.remedies[0].text == "in /etc/hosts: 127.0.0.1 shop.test"


@pytest.mark.parametrize("name", ["localhost", "shop.localhost"])
def test_localhost_that_is_not_loopback(name: str) -> None:
    found = judge(well("10.0.0.5", name=name))
    assert found.verdict is Verdict.NAME_RESOLUTION
    assert "10.0.0.5" in found.cause
    assert found.remedies[0].text == f"in /etc/hosts:1: 127.0.0.1 {name}"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.1.1", "0.0.0.0", "::ffff:127.0.0.1"])
def test_loopback_in_every_spelling(address: str) -> None:
    assert judge(well(address, name="localhost")).verdict is Verdict.OK


def test_another_name_may_be_any_address_of_this_machine() -> None:
    assert judge(well("10.0.0.5", name="shop.test")).verdict is Verdict.OK


def test_a_name_that_is_another_machine() -> None:
    away = ip_address("192.0.2.7")
    found = judge(replace(case(asked=(), name="shop.test"), away=(away,)))
    assert found.verdict is Verdict.NOT_THIS_MACHINE
    assert found.fault is Fault.CLIENT
    assert "shop.test gives 192.0.2.7" in found.cause


def test_a_name_whose_first_address_is_another_machine() -> None:
    away = ip_address("2001:db8::7")
    one = well("127.0.0.1", name="shop.test")
    first = Resolution(name="shop.test", address=away, source="/etc/hosts:4")
    found = judge(replace(one, away=(away,), resolutions=(first, *one.resolutions)))
    assert found.verdict is Verdict.NAME_RESOLUTION
    assert found.remedies[0].text == "in /etc/hosts:4: without 2001:db8::7"
    assert judge(replace(one, away=(away,), resolutions=(*one.resolutions, first))).verdict is Verdict.OK


def test_a_localhost_name_that_the_resolver_does_not_know_is_told_where_all_else_is_well() -> None:
    one = well("127.0.0.1", name="shop.localhost")
    alone = tuple(replace(each, source="RFC 6761 §6.3, not the resolver") for each in one.resolutions)
    found = judge(replace(one, resolutions=alone))
    assert (found.verdict, found.confidence) == (Verdict.NAME_RESOLUTION, Confidence.LIKELY)
    assert judge(replace(case(name="shop.localhost"), resolutions=alone)).verdict is Verdict.NOTHING_LISTENS


def test_an_address_that_is_led_away() -> None:
    one = case([listener("0.0.0.0", PORT, NODE)], connect={"127.0.0.1": Failing.NOT_THIS_MACHINE})
    found = judge(one)
    assert found.verdict is Verdict.NOT_THIS_MACHINE
    assert found.fault is Fault.MACHINE


@pytest.mark.parametrize(("name", "meant"), [("locahost", True), ("localhsot", True), ("shop.test", False)])
def test_localhost_misspelt(name: str, meant: bool) -> None:
    found = judge(replace(case(name=name), name_error="Name or service not known", candidates=(), scheme="http"))
    assert any(one.text == f"homeport check http://localhost:{PORT}/" for one in found.remedies) is meant


def test_a_dot_at_the_end() -> None:
    one = replace(
        well("127.0.0.1", name="localhost."),
        resolutions=(Resolution(name="localhost.", address=ip_address("127.0.0.1"), source="RFC 6761 §6.3"),),
    )
    found = judge(one)
    assert found.verdict is Verdict.NAME_RESOLUTION
    assert found.remedies[0].text == f"homeport check localhost:{PORT}"


def test_a_family_that_is_switched_off() -> None:
    lost = Route(
        destination=ip_address("::1"), kind=None, interface=None, source=None, gateway=None, error="unreachable"
    )  # fmt: skip
    held = [listener("::", PORT, NODE)]
    one = case(held, asked=("::1",), connect={"::1": Failing.NOT_THIS_MACHINE}, routes=(lost,), loopback=True)
    found = judge(one)
    assert (found.verdict, found.fault) == (Verdict.OTHER_FAMILY, Fault.MACHINE)
    assert found.remedies[0].text == f"homeport check 127.0.0.1:{PORT}"
    assert judge(replace(one, loopback=None)).verdict is Verdict.NOT_THIS_MACHINE
    nobody = case(asked=("::1",), connect={"::1": Failing.NOT_THIS_MACHINE}, routes=(lost,), loopback=True)
    assert judge(nobody).verdict is Verdict.NOTHING_LISTENS
