"""Who was told a port, and who took whose place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.rules.verdicts.building import PORT, claim, process

from homeport.model.case import Claim
from homeport.rules import claims

LOOP = ("python3", "shop.py", "--port", "3000")


def look(*pids: int, words: tuple[str, ...] = LOOP) -> tuple[Claim, ...]:
    """These processes with one command line, as one look sees them."""
    return tuple(claim(process(pid, *words)) for pid in pids)


def restarts(*looks: tuple[Claim, ...]) -> int:
    return max((one.restarts for one in claims.fold(looks)), default=0)


def test_one_after_the_other_is_a_loop() -> None:
    assert restarts(look(1), look(2), look(3)) == 2
    assert restarts(look(1), look(), look(2)) == 1
    assert restarts(look(), look(1), look(2)) == 1
    assert restarts(look(), look(1), look(), look(2), look()) == 1


def test_side_by_side_is_none() -> None:
    assert restarts(look(1, 2, 3), look(1, 2, 3)) == 0
    assert restarts(look(1), look(1, 2), look(1, 2, 3)) == 0
    assert restarts(look(1, 2, 3), look(1)) == 0


def test_one_that_came_and_went_took_nobodys_place() -> None:
    assert restarts(look(), look(1), look()) == 0
    assert restarts(look(7), look(7, 8), look(7)) == 0


def test_another_command_line_is_another_program() -> None:
    other = ("node", "server.js", "--port", "3000")
    assert restarts(look(1), look(2, words=other)) == 0
    assert len(claims.fold([look(1), look(2, words=other)])) == 2


def test_the_youngest_stands_for_all() -> None:
    (found,) = claims.fold([look(1), look(5), look(9)])
    assert found.process.pid == 9


def test_nobody() -> None:
    assert claims.fold([]) == ()
    assert claims.fold([(), ()]) == ()
    assert not claims.unsettled([])


def test_unsettled() -> None:
    assert not claims.unsettled([look(1), look(1)])
    assert claims.unsettled([look(1), look()])
    assert claims.unsettled([look(), look(1)])


@given(st.lists(st.sets(st.integers(1, 6)), max_size=8))
def test_never_more_restarts_than_processes(seen: list[set[int]]) -> None:
    looks = [look(*pids) for pids in seen]
    found = claims.fold(looks)
    assert len(found) == (1 if any(seen) else 0)
    for one in found:
        assert 0 <= one.restarts < len(set().union(*seen)) or one.restarts == 0


# who was told


def told(words: tuple[str, ...], environment: dict[str, str] | None = None) -> bool:
    return claims.claim(process(1, *words), 1.0, environment, PORT) is not None


def test_arguments_and_variables_tell() -> None:
    assert told(LOOP)
    assert told(("node", "server.js"), {"PORT": "3000"})
    assert not told(("node", "server.js"), {"PORT": "3001"})
    assert not told(("node", "server.js"))
    assert not told(("node", "server.js"), None)


def test_a_shell_only_hands_a_variable_down() -> None:
    for words in (("bash",), ("sh", "-c", "node server.js; true"), ("sudo", "node", "x.js")):
        assert not told(words, {"PORT": "3000"}), words


def test_a_client_is_told_nothing() -> None:
    for words in (("curl", "http://127.0.0.1:3000/"), ("nc", "127.0.0.1", "3000"), ("vim", "3000")):
        assert not told(words, {"PORT": "3000"}), words


def test_supervisors() -> None:
    assert claims.supervises(process(1, "supervisord", "-c", "x.conf"))
    assert claims.supervises(process(1, "PM2 v5.3.0: God Daemon (/root/.pm2)", exe="/usr/bin/node"))
    assert not claims.supervises(process(1, "node", "server.js"))
