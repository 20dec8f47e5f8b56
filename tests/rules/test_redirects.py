from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.rules.redirects import authority, place, url

BASE = "http://localhost:3000/a/b?c=d"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/", "http://localhost:3000/"),
        ("", "http://localhost:3000/a/b?c=d"),
        ("c", "http://localhost:3000/a/c"),
        ("../c?x#fragment", "http://localhost:3000/c?x"),
        ("?x=y", "http://localhost:3000/a/b?x=y"),
        ("#top", "http://localhost:3000/a/b?c=d"),
        ("http:c", "http://localhost:3000/a/c"),
        ("http:/c", "http://localhost:3000/c"),
        ("http://other", "http://other/"),
        ("HTTPS://Other:8443/x", "https://other:8443/x"),
        ("https:other/x", "https://other/x"),
        ("https:/other/x", "https://other/x"),
        ("//other/x", "http://other/x"),
        ("///other/x", "http://other/x"),
        ("http:///other/x", "http://other/x"),
        ("/\\other/x", "http://other/x"),
        ("\\\\other\\x", "http://other/x"),
        ("http:\\\\other\\x?a\\b", "http://other/x?a\\b"),
        ("\t h\nttp://other/\r", "http://other/"),
        ("http://localhost@other/", "http://other/"),
        ("http://localhost:80@other:8080/", "http://other:8080/"),
        ("http://other#@localhost/", "http://other/"),
        ("http://other?@localhost/", "http://other/?@localhost/"),
        ("http://other\\@localhost/", "http://other/@localhost/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0x7f.1:81/", "http://127.0.0.1:81/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("https://[::1]:443/", "https://[::1]/"),
        ("https://other:80/", "https://other:80/"),
        ("mailto:a@b", None),
        ("ftp://other/", None),
        ("javascript:alert(1)", None),
        ("data:,x", None),
        ("http://", None),
        ("http://:80/", None),
        ("http://other:99999/", None),
        ("http://[::1/", None),
        ("http://a b/", None),
    ],
)
def test_as_browsers_read_it(location: str, expected: str | None) -> None:
    found = place(BASE, location)
    assert (None if found is None else found.url) == expected


def test_authorities() -> None:
    assert authority("http", "localhost", 80) == "localhost"
    assert authority("https", "localhost", 80) == "localhost:80"
    assert authority("http", "::1", 3000) == "[::1]:3000"
    assert authority("http", "[::1]", 3000) == "[::1]:3000"
    assert authority("http", "shop.test:81", 3000) == "shop.test:81"
    assert authority("http", "[::1]:81", 3000) == "[::1]:81"
    assert url("http", "localhost", 3000, "/x") == "http://localhost:3000/x"


@given(st.text())
def test_any_text(text: str) -> None:
    for one in (text, f"http://{text}", f"//{text}/", f"http:{text}"):
        found = place(BASE, one)
        if found is not None:
            assert found.scheme in ("http", "https")
            assert found.path.startswith("/")
            assert (found.name is None) != (found.address is None)
