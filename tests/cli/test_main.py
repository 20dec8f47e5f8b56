"""Where the words of a command line lead."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator

import click
import pytest

import homeport as package
from homeport.cli.main import COMMANDS, cli

Homeport = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def port() -> Iterator[int]:
    """A port where this process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def routed(*words: str) -> list[str]:
    """The words as the group passes them on."""
    return cli._routed(click.Context(cli, info_name="homeport"), list(words))


@pytest.mark.parametrize(
    ("words", "leads_to"),
    [
        ([], ["ls"]),
        (["--udp"], ["ls", "--udp"]),
        (["-q"], ["ls", "-q"]),
        (["--json"], ["ls", "--json"]),
        (["ls", "80"], ["ls", "80"]),
        (["62893"], ["show", "62893"]),
        ([":62893", "--json"], ["show", ":62893", "--json"]),
        (["127.0.0.1:62893"], ["show", "127.0.0.1:62893"]),
        (["[::1]:62893"], ["show", "[::1]:62893"]),
        (["localhost:62893"], ["show", "localhost:62893"]),
        ([":5353/udp"], ["show", ":5353/udp"]),
        (["http://localhost:62893/path"], ["show", "http://localhost:62893/path"]),
        (["127.0.0.1"], ["show", "127.0.0.1"]),
        (["localhost"], ["show", "localhost"]),
        (["explain", "127.0.0.1"], ["explain", "127.0.0.1"]),
        (["--version"], ["--version"]),
        (["-h"], ["-h"]),
    ],
)
def test_words_lead_to_a_command(words: list[str], leads_to: list[str]) -> None:
    assert routed(*words) == leads_to


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("sohw", "did you mean homeport show?"),
        ("docter", "did you mean homeport doctor?"),
        ("explian", "did you mean homeport explain?"),
        ("wxyzq", "homeport --help lists the commands"),
        ("", "homeport --help lists the commands"),
    ],
)
def test_a_word_that_is_nothing_is_a_usage_error(word: str, hint: str, homeport: Homeport) -> None:
    done = homeport(word)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"homeport: {word!r} is neither a command nor an address\n{hint}\n"


@pytest.mark.parametrize("word", ["99999", "1.2.3.4.5", "[::1", "127.0.0.1:99999", ":0"])
def test_a_wrong_address_says_what_is_wrong_with_it(homeport: Homeport, word: str) -> None:
    done = homeport(word)
    assert done.returncode == 2
    assert "neither a command" not in done.stderr
    assert done.stderr.startswith("homeport: ")


@pytest.mark.parametrize(
    "words",
    [
        ["ls", "--nonsense"],
        ["show"],
        ["show", "80", "81"],
        ["show", "80", "--source", "crystal-ball"],
        ["explain"],
        ["completion"],
        ["completion", "csh"],
        ["doctor", "more"],
        ["ls", "--source", "crystal-ball"],
        ["ls", "70000"],
    ],
)
def test_words_that_do_not_fit_are_a_usage_error(words: list[str], homeport: Homeport) -> None:
    done = homeport(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    first, *rest = done.stderr.splitlines()
    assert first.startswith("homeport: ")
    assert len(rest) <= 1


def test_nothing_and_ls_are_the_same(homeport: Homeport, port: int) -> None:
    for words in ([], ["ls"]):
        done = homeport(*words)
        assert done.returncode == 0
        assert re.search(rf"\b{port}\b", done.stdout)


def test_an_address_is_shown(homeport: Homeport, port: int) -> None:
    short, long = homeport(f"127.0.0.1:{port}", "--json"), homeport("show", f"127.0.0.1:{port}", "--json")
    assert short.returncode == long.returncode == 0
    assert json.loads(short.stdout)["command"] == json.loads(long.stdout)["command"] == "show"


def test_the_answer_is_1_where_nothing_listens(homeport: Homeport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert homeport("show", f"127.0.0.1:{taken.getsockname()[1]}").returncode == 1


def test_explaining_needs_no_listener(homeport: Homeport) -> None:
    done = homeport("explain", "192.0.2.1:9")
    assert done.returncode == 0
    assert json.loads(homeport("explain", "192.0.2.1:9", "--json").stdout)["schema"] == "homeport/1"


def test_version(homeport: Homeport) -> None:
    assert homeport("--version").stdout == f"homeport {package.__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["-h"], *([one.name, "--help"] for one in COMMANDS)])
def test_help_has_examples(words: list[str], homeport: Homeport) -> None:
    done = homeport(*words)
    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert done.stderr == ""


def test_help_is_not_cut(homeport: Homeport) -> None:
    assert "..." not in homeport("--help").stdout


def test_a_source_can_be_forced(homeport: Homeport, port: int) -> None:
    done = homeport("show", str(port), "--source", "psutil", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["source"] == "psutil"
