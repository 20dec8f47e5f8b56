"""Reads from the machine what `rules.lineage` needs: parents, session leaders, a few environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from homeport.model.lineage import Lineage
from homeport.model.owners import Container, Process, Unit
from homeport.rules import cgroups
from homeport.rules.lineage import HINTS, MAX_DEPTH, Hints, older, trace
from homeport.rules.roles import recognise
from homeport.system import portable, procfs

_MOST_ENVIRONMENT = 1 << 18
_LONGEST_VALUE = 256
_PATIENCE = 0.5
_TRIES = 4


class Chain(NamedTuple):
    """A process, its parent, and so on; `broken` says why the chain ends before init."""

    processes: tuple[Process, ...]
    broken: str | None


def lineage_of(process: Process, *, container: Container | None = None, unit: Unit | None = None) -> Lineage:
    """Why a process runs. What it belongs to is read from its control group, unless the caller knows better."""
    chain = ancestors(process)
    if process.cgroup and container is None:
        mark = cgroups.container_of(process.cgroup)
        if mark is not None:
            container = Container(mark.engine, mark.id, None, None, None, (), (mark.evidence,))
    if process.cgroup and unit is None:
        unit = cgroups.unit_of(process.cgroup)
    return trace(chain.processes, broken=chain.broken, unit=unit, container=container, hints=hints(chain.processes))


def ancestors(process: Process) -> Chain:
    """The parents of a process, each still the parent after it was read, and none younger than its child."""
    chain = [process]
    while len(chain) <= MAX_DEPTH:
        parent = _parent(chain[-1])
        if isinstance(parent, Process):
            chain[-1] = chain[-1]._replace(ppid=parent.pid)
            chain.append(parent)
        else:
            return Chain(tuple(chain), parent)
    return Chain(tuple(chain[:MAX_DEPTH]), f"only {MAX_DEPTH} parents are followed")


def hints(chain: Iterable[Process]) -> Hints:
    """Environments that may be read, the leaders of the sessions, and the names that tmux gives its own."""
    chain = tuple(chain)
    environments = {one.pid: environment(one) for one in chain}
    leaders = {one.session: _leader(one) for one in chain if one.session and procfs.available()}
    sessions = {}
    for child, parent in pairwise(chain):
        known = recognise(parent)
        if known is not None and known.role.name == "tmux":
            name = _tmux_session(parent, environments[child.pid])
            if name is not None:
                sessions[parent.pid] = name
    return Hints(environments, leaders, sessions)


def environment(process: Process) -> dict[str, str]:
    """The variables of `HINTS` in a process's environment as it was at execve(2); empty where it may not be read."""
    text = procfs.read_text(f"{procfs.PROC}/{process.pid}/environ", _MOST_ENVIRONMENT) if procfs.available() else None
    found: dict[str, str] = {}
    for entry in (text or "").split("\0"):
        name, equals, value = entry.partition("=")
        if equals and name in HINTS and len(value) <= _LONGEST_VALUE:
            found.setdefault(name, value)
    return found if process.start_ticks is None or procfs.start_ticks(process.pid) == process.start_ticks else {}


def _read(pid: int) -> Process | None:
    return procfs.read_process(pid) if procfs.available() else portable.read_process(pid)


def _parent(child: Process) -> Process | str | None:
    """The parent of a process; None for one that has none; a phrase for one that cannot be told.

    A parent may end while it is read: its child is then adopted, and the new parent is tried.
    """
    ppid = child.ppid
    for _ in range(_TRIES):
        if ppid is None:
            return f"the parent of {child.pid} may not be read"
        if ppid == 0:
            alone = child.pid == 1 or (child.pid == 2 and child.name == "kthreadd")
            return None if alone else f"the parent of {child.pid} is outside of this PID namespace"
        parent = _read(ppid)
        again = _read(child.pid)
        if again is None or older(again, child) is not True or older(child, again) is not True:
            return f"process {child.pid} ended during the look"
        if again.ppid == ppid:
            return _accepted(parent, child, ppid)
        ppid = again.ppid
    return f"the parents of {child.pid} end faster than they can be read"


def _accepted(parent: Process | None, child: Process, ppid: int) -> Process | str:
    if parent is None:
        return f"process {ppid}, the parent of {child.pid}, may not be seen"
    if older(parent, child) is not True:
        return f"pid {ppid} is not the process that started {child.pid}: it started after its child"
    return parent


def _leader(process: Process) -> Process | None:
    """The leader of a process's session; None when it has ended. (Its pid is not given away while a session has it.)"""
    return process if process.session == process.pid else procfs.read_process(process.session or 0)


def _tmux_session(server: Process, variables: dict[str, str]) -> str | None:
    """What a tmux server calls the session of a pane.

    Only a server of the caller's own is asked: a tmux client does what its server tells it to.
    """
    path, _, rest = variables.get("TMUX", "").partition(",")
    pane = variables.get("TMUX_PANE", "")
    if rest.partition(",")[0] != str(server.pid) or server.uid != os.geteuid() or not pane.startswith("%"):
        return None
    import subprocess

    command = ["tmux", "-S", path, "display-message", "-p", "-t", pane, "#{session_name}"]
    try:
        if os.stat(path).st_uid != os.geteuid():
            return None
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False, cwd="/"
        )
    except (OSError, ValueError, subprocess.SubprocessError):  # no tmux here, or a server that hangs: no name then
        return None
    name = answer.stdout.decode("utf-8", "surrogateescape").strip()
    return name[:_LONGEST_VALUE] if answer.returncode == 0 and name and "\n" not in name else None
