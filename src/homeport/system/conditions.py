"""How processes are doing: stopped, traced, frozen, out of descriptors, or just started."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from homeport.model.case import Claim, Condition
from homeport.model.owners import Process
from homeport.rules.provenance import told
from homeport.system import procfs
from homeport.system.reading import environment

MAX_PROCESSES = 4096
"""Of how many processes the command line is read to find those that were told a port."""

_CGROUPS = "/sys/fs/cgroup"


def condition(process: Process) -> Condition | None:
    """How a process is doing now; None when it has ended, or when another has its pid."""
    pid = process.pid
    if process.start_ticks is not None and procfs.start_ticks(pid) != process.start_ticks:
        return None
    status = _status(pid)
    tracer = status.get("TracerPid", "")
    return Condition(
        process=process,
        state=status.get("State", "")[:1] or None,
        tracer=int(tracer) if tracer.isdigit() and tracer != "0" else None,
        frozen=_frozen(pid),
        descriptors=_count(f"/proc/{pid}/fd"),
        limit=_descriptor_limit(pid),
        age=age(process),
    )


def age(process: Process) -> float | None:
    """Seconds since a process started."""
    return None if process.start_time is None else max(0.0, time.time() - process.start_time.timestamp())


def claims(port: int) -> tuple[Claim, ...]:
    """The processes that were told to use a port, by their arguments or, where it may be read, their environment."""
    found = []
    for pid in procfs.all_pids()[:MAX_PROCESSES]:
        process = procfs.read_process(pid) if pid != os.getpid() else None
        if process is None or not process.cmdline:
            continue
        evidence = told(process, environment(pid), port)
        if evidence is not None:
            found.append(Claim(process=process, age=age(process), evidence=evidence))
    return tuple(found)


def successors(before: Iterable[Process]) -> dict[int, Process]:
    """For processes that have ended: those that run the same command line by now, by the pid of the one that ended."""
    gone = [one for one in before if procfs.start_ticks(one.pid) != one.start_ticks]
    if not gone:
        return {}
    known = {one.pid for one in before}
    now = [one for pid in procfs.all_pids()[:MAX_PROCESSES] if pid not in known and (one := procfs.read_process(pid))]
    found = {}
    for one in gone:
        same = (each for each in now if (each.cmdline, each.uid, each.cwd) == (one.cmdline, one.uid, one.cwd))
        after = next(same, None)
        if after is not None:
            found[one.pid] = after
    return found


def _status(pid: int) -> dict[str, str]:
    """The lines of /proc/PID/status (proc_pid_status(5)) by name."""
    lines = (procfs.read_text(f"/proc/{pid}/status") or "").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _count(folder: str) -> int | None:
    try:
        return len(os.listdir(folder))
    except OSError:  # ended, or closed to the caller
        return None


def _descriptor_limit(pid: int) -> int | None:
    """The soft limit "Max open files" of /proc/PID/limits (getrlimit(2), RLIMIT_NOFILE)."""
    for line in (procfs.read_text(f"/proc/{pid}/limits") or "").splitlines():
        if line.startswith("Max open files"):
            words = line.split()
            return int(words[3]) if len(words) > 3 and words[3].isdigit() else None
    return None


def _frozen(pid: int) -> str | None:
    """The control group that freezes a process, of cgroups(7) version 2 (`cgroup.events`) or 1 (`freezer.state`)."""
    for line in (procfs.read_text(f"/proc/{pid}/cgroup") or "").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            places = [f"{_CGROUPS}{path}/cgroup.events", f"{_CGROUPS}/unified{path}/cgroup.events"]
            if any("frozen 1" in (procfs.read_text(place) or "") for place in places):
                return path
        elif "freezer" in controllers.split(",") and path != "/":
            state = procfs.read_text(f"{_CGROUPS}/{controllers}{path}/freezer.state") or ""
            if state.strip() == "FROZEN":
                return path
    return None
