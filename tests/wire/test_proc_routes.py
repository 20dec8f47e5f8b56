from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from hypothesis import given
from hypothesis import strategies as st

from homeport.wire.proc_routes import routes_ipv4, routes_ipv6

FOUR = """Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
"""
SIX = """fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00 0 00000100 00000001 00000000 00000001 eth0
00000000000000000000000000000000 00 fd000000000000000000000000000001 00 00 0 00000400 00000001 00000000 00000003 eth0
"""  # noqa: E501


def test_the_networks_of_both_tables() -> None:
    assert list(routes_ipv4(FOUR)) == [IPv4Network("0.0.0.0/0"), IPv4Network("192.0.2.0/24")]
    assert list(routes_ipv6(SIX)) == [IPv6Network("fd00::/64"), IPv6Network("::/0")]


@given(st.text(alphabet=st.sampled_from("0123456789abcdefG \t\n"), max_size=200))
def test_other_lines_are_left_out(text: str) -> None:
    assert all(one.version == 4 for one in routes_ipv4(text))
    assert all(one.version == 6 for one in routes_ipv6(text))
