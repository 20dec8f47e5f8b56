"""Which line of pg_hba.conf decides for a client of this machine."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.rules.pg_hba import deciding

IPV4, IPV6 = ip_address("127.0.0.1"), ip_address("::1")


def method(text: str, client: str = "127.0.0.1", *, tls: bool = False) -> str | None:
    line = deciding(text, ip_address(client), tls=tls, database="postgres", user="postgres")
    return line and line.method


@pytest.mark.parametrize(
    ("text", "client", "tls", "expected"),
    [
        ("host all all 127.0.0.1/32 trust", "127.0.0.1", False, "trust"),
        ("host all all 127.0.0.1/32 trust", "::1", False, None),
        ("host all all ::1/128 md5", "::1", False, "md5"),
        ("host all all localhost scram-sha-256", "::1", False, "scram-sha-256"),
        ("host all all localhost scram-sha-256", "192.0.2.1", False, None),
        ("host all all samehost trust", "192.0.2.1", False, "trust"),
        ("host all all 127.0.0.1 255.255.255.255 md5", "127.0.0.1", False, "md5"),
        ("host all all 10.0.0.0 255.0.0.0 md5", "127.0.0.1", False, None),
        ("local all all peer\nhost all all all reject", "127.0.0.1", False, "reject"),
        ("hostssl all all all cert\nhostnossl all all all reject", "127.0.0.1", True, "cert"),
        ("hostssl all all all cert\nhostnossl all all all reject", "127.0.0.1", False, "reject"),
        ("hostgssenc all all all gss\n# host all all all trust", "127.0.0.1", False, None),
        ("host sales all all trust\nhost all bob all trust\nhost all all all md5 # last", "127.0.0.1", False, "md5"),
        ("host sales, postgres  bob,postgres all  trust", "127.0.0.1", False, "trust"),
        ('host "postgres" "postgres" "127.0.0.0/8" ldap ldapserver="a b"', "127.0.0.1", False, "ldap"),
        ("host all all shop.example.org trust", "127.0.0.1", False, None),
        ("host all all", "127.0.0.1", False, None),
        ("host sameuser all all trust", "127.0.0.1", False, "trust"),
    ],
)
def test_the_first_line_that_fits_decides(text: str, client: str, tls: bool, expected: str | None) -> None:
    assert method(text, client, tls=tls) == expected


@pytest.mark.parametrize(
    "first",
    [
        "host all +admins all trust", "host all @admins all trust", "host all /^post all trust", "include more.conf",
        "host samerole all all trust", "host all all shop.example.org trust", "host all all all \\",
    ],
)  # fmt: skip
def test_what_a_line_before_may_decide_is_not_known(first: str) -> None:
    line = deciding(f"{first}\nhost all all all md5", IPV4, tls=False, database="postgres", user="postgres")
    assert line is not None
    assert (line.number, line.method) == (1, None)
    assert deciding(first, IPV4, tls=False, database="postgres", user="postgres") == line


@pytest.mark.parametrize(
    "first",
    [
        "host all +admins all md5",
        "hostssl all +admins all trust",
        "host sales +admins all trust",
        "host all +admins 10.0.0.0/8 trust",
        "host replication all all trust",
    ],
)
def test_a_line_before_that_is_for_others_or_says_the_same_leaves_no_doubt(first: str) -> None:
    assert method(f"{first}\nhost all all all md5") == "md5"


def test_a_line_is_told_with_its_number() -> None:
    line = deciding("# one\n\nhost  all\tall all trust\n", IPV4, tls=False, database="postgres", user="postgres")
    assert line is not None
    assert (line.number, line.text) == (3, "host all all all trust")


@given(st.text(max_size=200), st.sampled_from(("host all all ", "host ", "")))
def test_nothing_that_is_written_there_raises(text: str, before: str) -> None:
    deciding(before + text, IPV6, tls=False, database="postgres", user="postgres")
