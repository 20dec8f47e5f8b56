from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from homeport.wire.addresses import local_ipv4, local_ipv6

TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 10.88.0.0
        /16 link UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.88.0.0/16 2 0 2
        |-- 10.88.0.5
           /32 host LOCAL
        |-- 10.88.255.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
"""


def test_addresses_are_the_single_hosts_of_type_local() -> None:
    assert local_ipv4(TRIE) == {IPv4Address("10.88.0.5"), IPv4Address("127.0.0.1")}


def test_the_first_column_is_the_address() -> None:
    text = (
        "00000000000000000000000000000001 01 80 10 80       lo\n"
        "fe800000000000000000000000000005 02 40 20 80     eth0\nshort 1\n-0000000000000000000000000000001 1\n"
    )
    assert local_ipv6(text) == {IPv6Address("::1"), IPv6Address("fe80::5")}


@given(st.text(st.sampled_from("|- /32 host LOCAL\n0123456789.abcdef_+٣"), max_size=200))
def test_nothing_fails(text: str) -> None:
    local_ipv4(text)
    local_ipv6(text)
