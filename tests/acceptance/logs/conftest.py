"""`follow(8080)`: a follower that is ended after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.acceptance.logs.asking import (
    Follower,
)


@pytest.fixture
def follow() -> Iterator[Callable[..., Follower]]:
    """`follow(8080)`: a follower that is ended after the test."""
    running: list[Follower] = []

    def begin(*words: str | int, env: dict[str, str] | None = None, before: tuple[str, ...] = ()) -> Follower:
        running.append(Follower(*words, env=env, before=before))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
        if one.process.stdout is not None and not one.process.stdout.closed:
            one.end()
