from __future__ import annotations

from ipaddress import ip_address

import pytest

from homeport.model.addresses import Protocol
from homeport.model.owners import Reason, Unattributed
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules.reach import reach
from homeport.rules.scope import scope


def listener(address: str, *, v6only: bool | None = None, interface: int | None = None) -> Listener:
    bound = ip_address(address)
    made = Socket(Protocol.TCP, State.LISTEN, bound, 80, None, None, 1, 1, 5, 0, 0, 0, interface, v6only)
    return Listener(made, scope(bound), (), Unattributed(Reason.UNKNOWN, "built", 0))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1", "programs of this machine only"),
        ("fe80::1", "neighbours on the same link"),
        ("10.0.0.5", "the networks that can reach 10.0.0.5, a private address"),
        ("8.8.8.8", "everybody who can reach 8.8.8.8, a public address"),
        ("0.0.0.0", "everybody who can reach any address of this machine"),
        ("224.0.0.251", "whoever sends to the group 224.0.0.251"),
    ],
)
def test_each_scope(address: str, said: str) -> None:
    (evidence,) = reach(listener(address), own=True, namespace=None)
    assert evidence.text == said


def test_families_and_interfaces_are_said() -> None:
    assert reach(listener("::", v6only=True), own=True, namespace=None)[0].text.endswith(", over IPv6 only")
    assert reach(listener("::", v6only=False), own=True, namespace=None)[0].text.endswith(", over IPv6 and IPv4")
    assert reach(listener("0.0.0.0", interface=3), own=True, namespace=None)[0].text.endswith(
        ", by interface number 3 only"
    )


def test_another_namespace_is_named_with_its_addresses() -> None:
    has = [ip_address(one) for one in ("127.0.0.1", "10.88.0.5", "fe80::5", "2001:db8::5")]
    first, second = reach(listener("0.0.0.0"), own=False, namespace="web", addresses=has)
    assert first.text == "everybody who can reach any address of network namespace web"
    assert second.text == "its addresses are 10.88.0.5"
    both = reach(listener("::", v6only=False), own=False, namespace="web", addresses=has)
    assert both[1].text == "its addresses are 10.88.0.5, 2001:db8::5"
    assert len(reach(listener("127.0.0.1"), own=False, namespace="web", addresses=has)) == 1
