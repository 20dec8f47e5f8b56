"""Who was told to use a port, and what became of them while they were watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from homeport.model.case import Claim
from homeport.model.owners import Process
from homeport.rules import commands
from homeport.rules.provenance import told

_SHELLS = frozenset(
    ("sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox", "tmux", "screen", "login", "su", "sudo")
)
"""What hands its environment down, and is never itself the server that a variable is meant for."""

SUPERVISORS = frozenset(
    "supervisord circusd runsvdir s6-svscan monit immortal god pm2 forever nodemon foreman overmind honcho".split()  # noqa: SIM905
)
"""What starts servers again, after a pause of a second or more."""

Look = Sequence[Claim]
"""Everyone who was seen to be told the port at one moment."""


def claim(process: Process, age: float | None, environment: Mapping[str, str] | None, port: int) -> Claim | None:
    """What tells a process to use a port: an argument, or, unless it only hands it down, a variable."""
    handing_down = commands.read(process).program in _SHELLS
    evidence = told(process, None if handing_down else environment, port)
    return None if evidence is None else Claim(process=process, age=age, evidence=evidence)


def fold(looks: Sequence[Look]) -> tuple[Claim, ...]:
    """Of those with the same command line, user and folder the youngest, with how often one took the place of another.

    Several that live side by side are workers, or containers of the same image: only what came after the first look,
    for one that is no more in the last, was started again.
    """
    groups: dict[tuple[object, ...], dict[int, Claim]] = {}
    for one in (one for look in looks for one in look):
        groups.setdefault(_kind(one.process), {})[one.process.pid] = one
    before, after = (_pids(looks[0]), _pids(looks[-1])) if looks else (set(), set())
    found = []
    for group in groups.values():
        youngest = max(group.values(), key=lambda one: one.process.start_ticks or 0)
        born, gone = group.keys() - before, group.keys() - after
        once = 1 if born == gone else 0  # each that came has gone: the first of them took nobody's place
        found.append(replace(youngest, restarts=max(0, min(len(born), len(gone)) - once)))
    return tuple(found)


def unsettled(looks: Sequence[Look]) -> bool:
    """Whether somebody came or went since the first look."""
    return any(_pids(look) != _pids(looks[0]) for look in looks)


def supervises(process: Process) -> bool:
    """Whether it is there to start other programs again when they end."""
    title = (process.cmdline or ("",))[0]
    return commands.read(process).program in SUPERVISORS or title.startswith("PM2 ")


def _pids(look: Look) -> set[int]:
    return {one.process.pid for one in look}


def _kind(process: Process) -> tuple[object, ...]:
    return process.cmdline, process.uid, process.cwd
