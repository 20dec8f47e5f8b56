"""Regular expressions that somebody typed."""

from __future__ import annotations

import signal
import threading

import pytest

from homeport.errors import UsageError
from homeport.system.matching import LONGEST, Pattern


def test_a_pattern_is_found_in_the_beginning_of_a_line() -> None:
    one = Pattern("c.rt")
    assert one.found_in("no cart")
    assert not one.found_in("no shop")
    assert not one.found_in("x" * LONGEST + "cart")


@pytest.mark.parametrize("text", ["(", "*", "[", "(?P<a", "a{99999999999}"])
def test_no_pattern(text: str) -> None:
    with pytest.raises(UsageError):
        Pattern(text)


def test_a_search_without_end_is_ended() -> None:
    with pytest.raises(UsageError, match="cannot be searched for"):
        Pattern("(a+)+$").found_in("a" * 60 + "b")
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_in_another_thread_it_is_only_not_timed() -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(Pattern("a").found_in("cart")))
    thread.start()
    thread.join()
    assert found == [True]
