"""Connection strings and the folders of data."""

from __future__ import annotations

import pytest

from homeport.model.evidence import Confidence
from homeport.model.services import Service
from homeport.services.databases import DATABASES, MASK, database, option, url


def service(protocol: str, product: str | None = None) -> Service:
    return Service(protocol, product, None, False, Confidence.CERTAIN, ())


def test_a_product_of_its_own_comes_before_its_protocol() -> None:
    pgbouncer = database(service("postgresql", "PgBouncer"))
    postgresql = database(service("postgresql", None))
    assert pgbouncer is not None
    assert postgresql is not None
    assert (pgbouncer.product, postgresql.product) == ("PgBouncer", None)
    assert database(service("http", "nginx")) is None
    assert database(service("ssh", "OpenSSH")) is None


@pytest.mark.parametrize(
    ("protocol", "login", "tls", "expected"),
    [
        ("postgresql", True, False, f"postgresql://postgres:{MASK}@[::1]:1/postgres"),
        ("postgresql", False, False, "postgresql://postgres@[::1]:1/postgres"),
        ("mysql", False, False, "mysql://root@[::1]:1/"),
        ("redis", True, True, f"rediss://:{MASK}@[::1]:1/0"),
        ("redis", False, False, "redis://[::1]:1/0"),
        ("memcached", True, False, "memcached://[::1]:1"),
    ],
)
def test_connection_strings_hold_no_password(protocol: str, login: bool, tls: bool, expected: str) -> None:
    kind = database(service(protocol))
    assert kind is not None
    assert url(kind, "[::1]", 1, login=login, tls=tls) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("postgres", "-D", "/data"), "/data"),
        (("postgres", "--pgdata=/data", "-p", "1"), "/data"),
        (("postgres", "-D"), None),
        (("postgres", "-p", "1"), None),
        (("postgres", "--pgdata="), None),
    ],
)
def test_the_folder_on_a_command_line(words: tuple[str, ...], expected: str | None) -> None:
    kind = database(service("postgresql"))
    assert kind is not None
    assert option(kind, words) == expected


def test_a_product_stands_before_what_would_hide_it() -> None:
    for index, one in enumerate(DATABASES):
        hidden = [other for other in DATABASES[:index] if other.protocol == one.protocol and other.product is None]
        assert not hidden, one
