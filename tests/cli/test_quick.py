"""The quick way must understand exactly what click does."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.cli import quick
from homeport.cli.listing import OPTIONS, Request
from homeport.cli.ls import command
from homeport.operations.asking import Wish

VALUES = st.sampled_from(["3000", "root", "every", "x=y", "a b", "", "-5", "\udcff"])


@st.composite
def words(draw: st.DrawFn) -> list[str]:
    made: list[str] = []
    for _ in range(draw(st.integers(0, 5))):
        option = draw(st.sampled_from(OPTIONS))
        name = draw(st.sampled_from(option.names))
        if not option.takes:
            made.append(name)
        elif name.startswith("--") and draw(st.booleans()):
            made.append(f"{name}={draw(VALUES)}")
        else:
            made += [name, draw(VALUES)]
    return made + draw(st.lists(st.sampled_from(["3000", "127.0.0.1", "3000-3001", "[::1]:80"]), max_size=2))


def by_click(given_words: list[str]) -> Request | None:
    try:
        context = command.make_context("ls", list(given_words))
    except click.ClickException:
        return None
    fields = {key: value for key, value in context.params.items() if value not in (None, False, ())}
    what = fields.pop("what", ())
    fields.pop("watch", None)
    return quick.request(what, fields)


@given(words())
def test_both_ways_understand_the_same(given_words: list[str]) -> None:
    request = quick.parse(["ls", *given_words])
    if request is not None:
        assert request == by_click(given_words)


@given(st.lists(st.text(max_size=8), max_size=5))
def test_any_words(given_words: list[str]) -> None:
    request = quick.parse(["ls", *given_words])
    if request is not None:
        assert request == by_click(given_words)


@pytest.mark.parametrize(
    "given_words",
    [["--help"], ["ls", "--watch"], ["ls", "--nope"], ["show", "80"], ["8080"], ["ls", "--pid"], ["ls", "--", "80"]],
)
def test_the_rest_is_left_to_click(given_words: list[str]) -> None:
    assert quick.parse(given_words) is None


def test_the_plainest() -> None:
    assert quick.parse([]) == quick.parse(["ls"]) == Request()
    assert quick.parse(["--tcp"]) == quick.parse(["ls", "-t"])


def test_every_option_has_a_place() -> None:
    known = {*Request._fields, *Wish._fields}
    assert {option.field for option in OPTIONS} <= known
