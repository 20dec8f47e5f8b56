"""How servers refuse a Host: real words, and words that only look alike."""

from __future__ import annotations

import pytest

from homeport.rules.verdicts.hosts import HOST_RULES, HostRule, refuses


@pytest.mark.parametrize(
    ("status", "body", "server"),
    [
        (403, 'Blocked request. This host ("shop.test") is not allowed.', "Vite"),
        (400, "DisallowedHost at / Invalid HTTP_HOST header: 'shop.test'.", "Django"),
        (403, "<h1>Blocked hosts: shop.test</h1>", "Rails"),
        (403, "Invalid Host header", "webpack-dev-server"),
        (200, "Invalid Host header", "webpack-dev-server"),
        (400, "Invalid host header", "Starlette"),
        (403, "Host check error", "Syncthing"),
    ],
)
def test_servers_are_told_apart(status: int, body: str, server: str) -> None:
    found = refuses(status, body)
    assert found is not None
    assert found.server == server


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, "<h1>403 Forbidden</h1>"), (400, "Bad Request"), (500, "Invalid HTTP_HOST header"), (200, ""), (404, "")],
)
def test_other_refusals(status: int, body: str) -> None:
    assert refuses(status, body) is None


@pytest.mark.parametrize("rule", HOST_RULES, ids=lambda one: one.server)
def test_each_row_can_be_used(rule: HostRule) -> None:
    assert all(word == word.lower() for word in rule.words)
    assert "{" not in rule.edit.format(host="shop.test").replace("{ allowedHosts", "")
