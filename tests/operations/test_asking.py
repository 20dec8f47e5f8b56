from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import UsageError
from homeport.model.addresses import Protocol, Scope
from homeport.operations.asking import Wish, understand
from homeport.operations.ls import ALL_PROTOCOLS


def test_nothing_asked_is_everything() -> None:
    query, keep = understand(Wish())
    assert query.protocols == ALL_PROTOCOLS
    assert query.ports is None
    assert keep is None
    assert not query.connections


def test_protocols() -> None:
    assert understand(Wish(tcp=True))[0].protocols == {Protocol.TCP}
    assert understand(Wish(udp=True))[0].protocols == {Protocol.UDP}
    assert understand(Wish(tcp=True, udp=True))[0].protocols == ALL_PROTOCOLS


@pytest.mark.parametrize(
    ("word", "ports", "addresses"),
    [
        ("3000", {3000}, None),
        (":3000", {3000}, None),
        ("3000-3002", {3000, 3001, 3002}, None),
        (":3000-3001", {3000, 3001}, None),
        ("127.0.0.1", None, {ip_address("127.0.0.1")}),
        ("localhost", None, {ip_address("127.0.0.1"), ip_address("::1")}),
        ("::1", None, {ip_address("::1")}),
        ("[::]", None, {ip_address("::")}),
    ],
)
def test_places(word: str, ports: set[int] | None, addresses: set[object] | None) -> None:
    query, keep = understand(Wish(what=(word,)))
    assert keep is not None
    assert query.ports == keep.ports == ports
    assert keep.addresses == addresses


@pytest.mark.parametrize(
    ("word", "endpoints"),
    [
        ("127.0.0.1:80", {("127.0.0.1", 80)}),
        ("localhost:80", {("127.0.0.1", 80), ("::1", 80)}),
        ("*:80", {("0.0.0.0", 80), ("::", 80)}),
        ("[::1]:80-81", {("::1", 80), ("::1", 81)}),
    ],
)
def test_places_with_both(word: str, endpoints: set[tuple[str, int]]) -> None:
    query, keep = understand(Wish(what=(word,)))
    assert keep is not None
    assert (keep.ports, keep.addresses) == (None, None)
    assert {(str(address), port) for address, port in keep.endpoints or ()} == endpoints
    assert query.ports == frozenset(port for _, port in endpoints)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("127.0.0.1", "80"), {80}),
        (("127.0.0.1:81", "80"), {80, 81}),
        (("127.0.0.1:81", "::1"), None),
        (("127.0.0.1:81", "::1", "80"), {80, 81}),
    ],
)
def test_the_ports_that_a_source_is_asked_for(words: tuple[str, ...], asked: set[int] | None) -> None:
    assert understand(Wish(what=words))[0].ports == (None if asked is None else frozenset(asked))


@pytest.mark.parametrize(
    "word", ["", ":", "0", "65536", "5-3", "a", "1.2.3", "[::1", "-", "3-", "-3", "\u0663", "9" * 5000, "127.0.0.1:x"]
)
def test_words_that_mean_nothing(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        understand(Wish(what=(word,)))
    assert caught.value.remedy


@given(st.text(max_size=30))
def test_any_word_is_understood_or_refused(word: str) -> None:
    try:
        understand(Wish(what=(word,), pid=(word,), scope=(word,)))
    except UsageError:
        pass


def test_values() -> None:
    _, keep = understand(Wish(pid=("12", "13"), scope=("every",), user=("root",), netns=("own",)))
    assert keep is not None
    assert keep.pids == frozenset((12, 13))
    assert keep.scopes == frozenset((Scope.EVERY,))
    assert keep.users == ("root",)
    for wish in (Wish(pid=("x",)), Wish(scope=("world",))):
        with pytest.raises(UsageError):
            understand(wish)


def test_own_namespace_only_asks_no_others() -> None:
    assert not understand(Wish(netns=("own",)))[0].namespaces
    assert understand(Wish(netns=("web",)))[0].namespaces
