"""What an entry is written with."""

from __future__ import annotations

import pytest

from homeport.services.kind import Answer, Clues
from homeport.services.sites.signs import (
    QUOTE,
    Told,
    body,
    both,
    clean,
    clean_version,
    either,
    entry,
    fields,
    header,
    server,
    status,
    value_at,
)


def answer(content: bytes = b"", code: int = 200, target: str = "/", *headers: tuple[str, str]) -> Answer:
    return Answer(target, "1.1", code, headers, content)


def with_server(*values: str) -> Answer:
    return answer(b"", 200, "/", *(("server", value) for value in values))


@pytest.mark.parametrize(
    ("value", "version"),
    [
        ("mine/1.2.3", "1.2.3"),
        ("mine/v1.2", "1.2"),
        ("mine", None),
        ("other/9 mine/1.2", "1.2"),
        ("mine/1.2 (Debian) other/9", "1.2"),
        ("MINE/1.2", "1.2"),
        ("mine/1.2-rc.1+b", "1.2-rc.1+b"),
    ],
)
def test_server_finds_a_product_by_its_whole_name(value: str, version: str | None) -> None:
    assert server("mine")(with_server(value)) == Told(f"Server: {value}", version)


@pytest.mark.parametrize("value", ["", "minerva/1", "mine-fork/1", "not-mine/1", "(mine/1)", "mine.x/1"])
def test_server_does_not_find_a_part_of_a_name(value: str) -> None:
    assert server("mine")(with_server(value)) is None


def test_every_header_of_a_name_is_looked_at() -> None:
    assert server("mine")(with_server("front", "mine/2")) == Told("Server: mine/2", "2")


def test_values_of_cookies_and_sessions_are_not_quoted() -> None:
    said = answer(b"", 200, "/", ("set-cookie", "mine_session=sesame; Path=/"))

    assert header("set-cookie", "^mine_session=")(said) == Told("Set-Cookie: mine_session=")


def test_body_wants_all_of_its_patterns_at_its_target() -> None:
    sign = body("<title>Mine</title>", r'data-version="(?P<version>\d+)"', at="/page")
    page = b'<title>Mine</title><b data-version="7">'

    assert sign(answer(page, 200, "/page")) == Told('data-version="7"', "7")
    assert sign(answer(page)) is None
    assert sign(answer(b"<title>Mine</title>", 200, "/page")) is None


def test_body_of_a_failure_wants_a_failure() -> None:
    sign = body("^oops$", failed=True)

    assert sign(answer(b"oops\r\nmore", 500)) == Told("oops")
    assert sign(answer(b"oops", 200)) is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a", "x"),
        ("b.c", "3"),
        ("b.d", "true"),
        ("b", "{}"),
        ("e", "[]"),
        ("f", None),
        ("g", None),
        ("a.b", None),
        ("e.0", None),
    ],
)
def test_fields_have_texts(path: str, text: str | None) -> None:
    said = answer(b'\n {"a":"x","b":{"c":3,"d":true},"e":[1],"f":null}')

    assert value_at(said, path) == text


@pytest.mark.parametrize("content", [b"", b"x", b"[]", b'{"a":', b'{"a":' * 9_000, b'{"a":' + b"1" * 9_000 + b"}"])
def test_what_is_no_object_has_no_fields(content: bytes) -> None:
    assert fields({"a": ".*"})(answer(content)) is None


def test_fields_must_match_whole() -> None:
    said = answer(b'{"name":"mine","version":"1.2"}')

    assert fields({"name": "mine"}, "version")(said) == Told('"name": "mine", "version": "1.2"', "1.2")
    assert fields({"name": "min"}, "version")(said) is None
    assert fields({"name": "mine"}, "version", at="/api")(said) is None


def test_signs_are_joined() -> None:
    missing, found = status(404), body("(?P<version>1)")

    assert both(missing, found)(answer(b"1", 404)) == Told("404; 1", "1")
    assert both(missing, found)(answer(b"1", 200)) is None
    assert either(missing, found)(answer(b"1", 200)) == Told("1", "1")
    assert either(missing, found)(answer(b"", 200)) is None


@pytest.mark.parametrize("version", ["1", "v1.2", "2.42.0+ds", "b4524-6171c9", "RELEASE.2024-01-01T00-00-00Z", " 1.2 "])
def test_versions_are_kept_as_they_are_told(version: str) -> None:
    assert clean_version(version) == version.strip()


@pytest.mark.parametrize("version", [None, "", "dev", "unknown", "1\n2", "1" * 61, "<b>1</b>", "1\x1b[31m"])
def test_what_is_no_version_is_none(version: str | None) -> None:
    assert clean_version(version) is None


def test_evidence_is_one_short_line() -> None:
    assert clean(" a\n\tb\r\n") == "a b"
    assert len(clean("x" * 9_000)) == QUOTE


def test_a_page_that_tells_the_version_is_asked_after_the_proof() -> None:
    site = entry("Mine", body("mine"), version=fields({"v": ".+"}, "v", at="/v"), programs=("mine",), page="/v")
    first, second = answer(b"mine"), answer(b'{"v":"1.0"}', 200, "/v")
    nobody = Clues(1, ())

    assert site.more is not None
    assert site.more(first, nobody) == "/v"
    assert site.more(answer(b"other"), nobody) is None
    assert site.more(answer(b"other"), Clues(1, ("mine",))) == "/v"
    match = site.recognise((first, second))
    assert match is not None
    assert (match.version, match.evidence) == ("1.0", 'GET /: mine; GET /v: "v": "1.0"')
    assert site.recognise((second,)) is None  # tells a version, proves nothing


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        (answer(b"mine", 200, "/p"), (("authentication", "not demanded"),)),
        (answer(b"mine", 401, "/p"), (("authentication", "demanded"),)),
        (answer(b"mine", 403, "/p?x"), (("authentication", "demanded"),)),
        (answer(b"mine", 302, "/p", ("location", "/users/sign_in")), (("authentication", "demanded"),)),
        (answer(b"mine", 302, "/p", ("location", "/elsewhere")), ()),
        (answer(b"mine", 500, "/p"), ()),
        (answer(b"mine", 200, "/q"), ()),
    ],
)
def test_a_private_page_tells_whether_a_login_is_demanded(said: Answer, facts: tuple[tuple[str, str], ...]) -> None:
    match = entry("Mine", body("mine"), private=("/p",)).recognise((said,))

    assert match is not None
    assert match.facts == facts
