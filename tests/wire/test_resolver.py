from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.wire.resolver import HostsLine, hosts, in_vain, order, search


def test_lines_of_hosts() -> None:
    text = "# a comment\n127.0.0.1 localhost LocalHost.localdomain # more\n\n::1\tip6-localhost\n"
    text += "fe80::1%lo0 localhost\nx y\n1.2.3.4\n"
    assert hosts(text) == (
        HostsLine(2, ip_address("127.0.0.1"), ("localhost", "localhost.localdomain")),
        HostsLine(4, ip_address("::1"), ("ip6-localhost",)),
        HostsLine(5, ip_address("fe80::1%lo0"), ("localhost",)),
    )


def test_the_order_of_lookups() -> None:
    assert order("passwd: files\nhosts:   files mymachines  dns # c\n") == (2, "files mymachines dns")
    assert order("# hosts: dns\n") is None
    assert order("") is None


@given(st.text())
def test_any_text(text: str) -> None:
    hosts(text)
    order(text)


def test_search_domains() -> None:
    text = "nameserver 127.0.0.53\nsearch old.example\n# search no.example\ndomain Shop.example\n"
    assert search(text) == ("shop.example",)
    text += "search a.example b.example .\n"
    assert search(text) == ("a.example", "b.example")
    assert search("nameserver 127.0.0.1\n") == ()
    assert search("search\n") == ()


VAIN = """127.0.0.1 localhost
127.0.0.1:3000 shop.test
shop.test 127.0.0.1
# 127.0.0.1 shop.test
127.0.0.1 http://shop.test/
127.0.0.1 *.shop.test
127.0.0.1 myshop.test  # shop.test
# about shop.test, which is ours
"""


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "SHOP.test.",
            [
                (2, "its first word is no address"),
                (3, "the address must come first"),
                (4, "it is a comment"),
                (5, "a name is wanted there, no URL"),
            ],
        ),
        ("cart.shop.test", [(6, "hosts files know no wildcards")]),
        ("myshop.test", []),
        ("other.test", []),
        ("localhost", []),
    ],
)
def test_lines_that_have_a_name_in_vain(name: str, found: list[tuple[int, str]]) -> None:
    assert [(one.number, one.why) for one in in_vain(VAIN, name)] == found


@given(st.text(), st.text())
def test_no_hosts_file_raises(text: str, name: str) -> None:
    in_vain(text, name)
