"""What an owner's program adds to a protocol."""

from __future__ import annotations

from homeport.services.programs import PRODUCTS, product


def test_products_of_programs() -> None:
    assert product("postgresql", "postgres") == "PostgreSQL"
    assert product("http", "php8.2") == "PHP built-in server"
    assert product("http", "postgres") is None
    assert product("unknown", "postgres") is None


def test_programs_are_in_lower_case() -> None:
    assert all(name == name.lower() for names in PRODUCTS.values() for name in names)
