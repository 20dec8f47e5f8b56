"""Answers of real products: `recorded/NAME.txt`, a line that says what was recorded, then responses as they came."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homeport.services.kind import Answer

RECORDED = Path(__file__).parent / "recorded"


def recording(name: str) -> tuple[Answer, ...]:
    head, *parts = (RECORDED / f"{name}.txt").read_bytes().split(b">>> GET ")
    assert head.startswith(b"# ")
    return tuple(_answer(part) for part in parts)


def _answer(part: bytes) -> Answer:
    request, _, response = part.partition(b"\n")
    head, _, body = response.partition(b"\n\n")
    line, *lines = head.decode("latin-1").split("\n")
    version, code, *_ = line.removeprefix("HTTP/").split(" ")
    headers = tuple((name.lower(), value.strip()) for name, _, value in (one.partition(":") for one in lines))
    return Answer(request.decode(), version, int(code), headers, body.removesuffix(b"\n"))


@pytest.fixture
def recorded() -> Callable[[str], tuple[Answer, ...]]:
    """The answers in a recording, in its order."""
    return recording
