"""What an owner's program adds to a protocol."""

from __future__ import annotations

from homeport.services.programs import PRODUCTS, product, products


def test_products_of_programs() -> None:
    assert product("postgresql", "postgres") == "PostgreSQL"
    assert product("http", "php8.2") == "PHP built-in server"
    assert product("http", "postgres") is None
    assert product("unknown", "postgres") is None


def test_all_that_a_program_may_be() -> None:
    assert products("redis-server") == {"Redis"}
    assert products("dovecot") == {"Dovecot"}
    assert products("shop") == set()


def test_programs_are_in_lower_case() -> None:
    assert all(name == name.lower() for names in PRODUCTS.values() for name in names)
