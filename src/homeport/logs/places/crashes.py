"""What is left of earlier processes of the program that crashed."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

from homeport.logs.places.kind import Candidate, Facts, OfText, Place
from homeport.model.evidence import Evidence
from homeport.model.logs import LogKind

_COMMON = frozenset(
    "python node nodejs java ruby perl php deno bun dotnet sh bash dash zsh busybox mainthread beam.smp".split()  # noqa: SIM905
)
"""Names that many programs run under: such a name does not tell that it was this one, its working folder does."""


def find(facts: Facts) -> Iterator[Candidate]:
    """Core files of the program, and what the kernel said of processes with its name."""
    names = {member.process.name for member in facts.members}
    own = {name for name in names if name.rstrip("0123456789.").lower() not in _COMMON}
    for one in facts.remains:
        if one.name is None or one.name not in (names if one.path.startswith("/") else own):
            continue
        when = datetime.fromtimestamp(one.modified, UTC).isoformat(timespec="seconds")
        text = f"{when} CRITICAL: process {one.pid} ({one.name}) crashed{_signal(one.signal)} and left {one.path}"
        evidence = Evidence(one.path, f"a core file of {one.name}, process {one.pid}")
        yield Candidate(LogKind.CRASH, "core", one.path, OfText((text,)), (evidence,))

    told = [(when, text) for when, text in facts.kernel if any(_names(text, name) for name in own)]
    if told:
        lines = tuple(f"{when.isoformat(timespec='milliseconds')} CRITICAL: {text}" for when, text in told)
        evidence = Evidence("/dev/kmsg", f"the kernel tells of {', '.join(sorted(own))}")
        yield Candidate(LogKind.CRASH, "kernel", "dmesg", OfText(lines), (evidence,))


def _names(text: str, name: str) -> bool:
    """Whether a line of the kernel is about a program: `Killed process 12 (node)`, `node[12]: segfault`."""
    return f"({name})" in text or re.search(rf"(?<![\w.-]){re.escape(name)}\[\d+\]", text) is not None


def _signal(number: int | None) -> str:
    try:
        return "" if not number else f" by {signal.Signals(number).name}"
    except ValueError:  # a number that no signal has here
        return f" by signal {number}"


PLACE = Place("core files", find)
