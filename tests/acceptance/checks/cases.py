"""Situations and the verdicts that they must get. docs/check.md has a table made of what stands here.

A test makes one real situation, and returns what `homeport check` said about it (or two of that: before and after the
remedy). The decorator holds it to the verdict, so that the table cannot say anything else than what was tested:

    @case("stopped", "nginx, all of its workers stopped by SIGSTOP", cured=True)
    def test_stopped_nginx(check, nginx): ...
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

Diagnosis = dict[str, Any]


def case(
    verdict: str, situation: str, *, near: str | None = None, cured: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """The test must return a diagnosis with this verdict; with `cured` two, the second one `ok`.

    `near`: the verdict that this situation could be mistaken for.
    """

    def decorate(test: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(test)
        def held(*words: Any, **named: Any) -> None:
            found = test(*words, **named)
            first, second = found if cured else (found, None)
            assert first["verdict"] == verdict, _told(first)
            assert first["ok"] is (verdict == "ok")
            assert first["cause"]
            assert verdict == "ok" or first["remedies"], _told(first)
            if cured:
                assert second is not None
                assert second["verdict"] == "ok", _told(second)
            if near is not None:
                assert near != verdict

        return held

    return decorate


def _told(one: Diagnosis) -> str:
    return json.dumps({key: one[key] for key in ("verdict", "cause", "remedies", "observations")}, indent=1)
