from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.model.addresses import IPAddress, Scope
from homeport.rules.scope import scope


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", Scope.MACHINE),
        ("127.255.255.254", Scope.MACHINE),
        ("::1", Scope.MACHINE),
        ("::ffff:127.0.0.1", Scope.MACHINE),
        ("0.0.0.0", Scope.EVERY),
        ("::", Scope.EVERY),
        ("::ffff:0.0.0.0", Scope.EVERY),
        ("10.1.2.3", Scope.PRIVATE),
        ("172.31.0.1", Scope.PRIVATE),
        ("192.168.1.1", Scope.PRIVATE),
        ("100.64.0.1", Scope.PRIVATE),
        ("fd00::2", Scope.PRIVATE),
        ("192.0.2.1", Scope.PRIVATE),
        ("169.254.1.1", Scope.LINK),
        ("fe80::1%eth0", Scope.LINK),
        ("224.0.0.251", Scope.MULTICAST),
        ("ff02::fb", Scope.MULTICAST),
        ("8.8.8.8", Scope.PUBLIC),
        ("2606:4700::1", Scope.PUBLIC),
    ],
)
def test_scopes(text: str, expected: Scope) -> None:
    assert scope(ip_address(text)) is expected


@given(st.ip_addresses())
def test_every_address_has_one(address: IPAddress) -> None:
    assert scope(address) in Scope
