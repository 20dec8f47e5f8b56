from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.model.explanation import PortRange, RegisteredService
from homeport.rules.habits import ADDRESSES, habits
from homeport.rules.ports import BAD_PORTS, ephemeral_notes, in_ranges, mistyped, range_of, registry_date, services

REGISTRY = """\
# date: 2026-01-02
80\ttcp,udp\thttp\tWorld Wide Web HTTP
80\ttcp\twww\t
800\tudp\tmdbs-daemon\t
8080\ttcp\thttp-alt\tHTTP Alternate
"""


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (1, PortRange.SYSTEM),
        (1023, PortRange.SYSTEM),
        (1024, PortRange.USER),
        (49151, PortRange.USER),
        (49152, PortRange.DYNAMIC),
        (65535, PortRange.DYNAMIC),
    ],
)
def test_ranges_of_rfc_6335(port: int, expected: PortRange) -> None:
    assert range_of(port) is expected


def test_services_of_one_port() -> None:
    assert services(REGISTRY, 80) == (
        RegisteredService(name="http", protocol="tcp", description="World Wide Web HTTP"),
        RegisteredService(name="http", protocol="udp", description="World Wide Web HTTP"),
        RegisteredService(name="www", protocol="tcp", description=None),
    )
    assert services(REGISTRY, 800) == (RegisteredService(name="mdbs-daemon", protocol="udp", description=None),)
    assert services(REGISTRY, 8080)[0].name == "http-alt"
    assert services(REGISTRY, 8) == ()
    assert services(REGISTRY, 81) == ()
    assert registry_date(REGISTRY) == date(2026, 1, 2)


@pytest.mark.parametrize("text", ["", "# date: yesterday\n", "# made by hand\n80\ttcp\thttp\t\n"])
def test_a_registry_without_a_date_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        registry_date(text)


@given(st.text(alphabet="80\t\n#,ab", max_size=60), st.integers(1, 65535))
def test_a_broken_registry_breaks_nothing(text: str, port: int) -> None:
    services("\n" + text, port)
    with contextlib.suppress(WireError):
        registry_date(text)


@pytest.mark.parametrize(
    ("text", "port", "expected"),
    [
        ("", 80, False),
        ("80", 80, True),
        ("8080,9000-9100", 9000, True),
        ("8080,9000-9100", 9100, True),
        ("8080,9000-9100", 9101, False),
        ("8080,9000-9100", 8080, True),
        ("x-y,80-", 80, True),
        ("9" * 100, 80, False),
    ],
)
def test_lists_of_ports_of_the_kernel(text: str, port: int, expected: bool) -> None:
    assert in_ranges(text, port) is expected


@given(st.text(max_size=30), st.integers(1, 65535))
def test_any_text_is_a_list_or_none(text: str, port: int) -> None:
    in_ranges(text, port)


def test_what_the_range_of_the_kernel_means() -> None:
    inside = ephemeral_notes(40000, (32768, 60999), False)
    assert any("49152-65535" in one for one in inside)
    assert any("outgoing" in one for one in inside)
    assert not any("outgoing" in one for one in ephemeral_notes(40000, (32768, 60999), True))
    assert not any("outgoing" in one for one in ephemeral_notes(62893, (32768, 60999), False))
    assert ephemeral_notes(80, (49152, 65535), False) == ()
    assert ephemeral_notes(80, None, None) == ()


def test_ports_that_browsers_refuse() -> None:
    assert len(BAD_PORTS) == 83
    assert {6000, 6666, 10080, 22, 25, 4190, 6679} <= BAD_PORTS
    assert not {80, 443, 3000, 8080, 62893} & BAD_PORTS


def test_habits_of_tools() -> None:
    from homeport.rules.habits import _PORTS

    assert len(_PORTS) >= 120
    assert [number for number, _, _ in _PORTS] == sorted(number for number, _, _ in _PORTS)
    assert habits(5173)[0].program == "Vite"
    assert any("AirPlay" in one.what for one in habits(5000))
    assert habits(62893)[0].program == "homeport"
    assert habits(1) == ()
    for number, program, what in _PORTS:
        assert 1 <= number <= 65535
        assert program
        assert what
        assert not what.endswith(".")
    assert len(dict(ADDRESSES)) == len(ADDRESSES)


@pytest.mark.parametrize(
    ("typed", "meant", "near"),
    [
        (3000, 3001, True), (3000, 3000, False), (5173, 5174, True), (5432, 5423, True), (5432, 5342, True),
        (8080, 80, False), (8080, 808, True), (808, 8080, True), (300, 3000, True), (3000, 4001, False),
        (8000, 8080, True), (8008, 8080, True), (8443, 8344, False), (80, 443, False), (1, 2, True),
    ],
)  # fmt: skip
def test_numbers_that_are_almost_the_same(typed: int, meant: int, near: bool) -> None:
    assert mistyped(typed, meant) is near
    assert mistyped(meant, typed) is near
