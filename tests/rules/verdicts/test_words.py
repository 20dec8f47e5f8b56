"""What servers and callers say stands in commands as one word, so that a shell runs nothing of it."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.verdicts.building import PORT, case, claim, condition, process
from tests.rules.verdicts.test_answers import exchange, failed, redirection, web
from tests.rules.verdicts.test_processes import NODE, held
from tests.rules.verdicts.test_tls import certificate, secure, tls

from homeport.model.case import Case
from homeport.model.diagnosis import RemedyKind
from homeport.model.dialling import Failing
from homeport.model.http import Redirect
from homeport.rules.shell import word
from homeport.rules.verdicts import judge

HOSTILE = "$(touch${IFS}/tmp/x);`id`&'\"|>y"


def commands(one: Case) -> list[list[str]]:
    """The words of each command, as a shell takes them."""
    return [shlex.split(each.text) for each in judge(one).remedies if each.kind is RemedyKind.COMMAND]


@pytest.mark.parametrize("text", ["localhost:3000", "http://[::1]:3000/a-b_c/~d", "shop.test", "10.0.0.1/8"])
def test_what_is_plain_stays(text: str) -> None:
    assert word(text) == text


@given(st.text())
def test_one_word_is_one_word(text: str) -> None:
    assert shlex.split(word(text)) == [text]


def test_a_hostile_redirection() -> None:
    to = f"http://localhost:9/{HOSTILE}"
    found = commands(web(redirection(to), exchange_failure=failed(Failing.REFUSED)))
    assert ["homeport", "check", to] in found


def test_a_hostile_redirection_to_what_is_left_alone() -> None:
    to = f"http://localhost:9100/{HOSTILE}"
    found = commands(web(replace(redirection(to, Redirect.UNTOUCHED), untouched="it may be a printer")))
    assert ["homeport", "check", to] in found


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("app", "--password", "hush 'hush' $hush"), "app --password …"),
        (("app", "--password=hush 'hush'"), "app --password=…"),
        (("sh", "-c", "PGPASSWORD='hush hush' psql -p 3000"), "PGPASSWORD="),
        (("app", "postgres://u:hush$hush@localhost:3000/d"), "app postgres://u:…@localhost:3000/d"),
        (("app", "--title", "it's on 3000"), "app --title 'it'\"'\"'s on 3000'"),
    ],
)
def test_a_command_to_run_by_hand_tells_no_secret_however_that_is_quoted(words: tuple[str, ...], shown: str) -> None:
    found = judge(case(claims=(claim(process(7, *words), restarts=3),)))
    (by_hand,) = (one.text for one in found.remedies if one.why.startswith("the same by hand"))
    assert shown in by_hand
    assert "hush" not in by_hand


def test_a_hostile_control_group() -> None:
    found = commands(held(condition(NODE, frozen=f"/sys/fs/cgroup/{HOSTILE}/cgroup.freeze")))
    assert ["echo", "0", ">", f"/sys/fs/cgroup/{HOSTILE}/cgroup.freeze"] in found


def test_a_hostile_certificate() -> None:
    seen = tls(certificate(names=(HOSTILE, "*.shop.test")), name_matches=False)
    found = commands(secure(seen))
    assert ["mkcert", "127.0.0.1", HOSTILE, "*.shop.test"] in found
    assert any(words[-2:] == ["--host", HOSTILE] for words in found)


@pytest.mark.parametrize(
    "one",
    [
        web(exchange(200, f"/{HOSTILE}"), environment={"http_proxy": "http://127.0.0.1:9"}),
        web(exchange(403, f"/{HOSTILE}", body=b"Blocked request. This host is not allowed"), name="shop.test"),
        web(exchange_failure=failed(Failing.TIMED_OUT)),
        case(),
    ],
)
def test_a_hostile_path(one: Case) -> None:
    path = f"/{HOSTILE}"
    asked = replace(one, path=path, scheme="http", asked=f"http://127.0.0.1:{PORT}{path}")
    hostile = [words for words in commands(asked) if HOSTILE in " ".join(words)]
    assert hostile
    assert all(sum(HOSTILE in each for each in words) == 1 for words in hostile)
