"""How processes are doing: stopped, traced, frozen, out of descriptors, or just started."""

from __future__ import annotations

import os
import re
import time

from homeport.model.case import Claim, Condition
from homeport.model.owners import Process
from homeport.rules.claims import claim, supervises
from homeport.system import procfs
from homeport.system.reading import environment
from homeport.wire.proc import unix_listeners

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
    soft, hard = _descriptor_limits(pid)
    return Condition(
        process=process,
        state=status.get("State", "")[:1] or None,
        tracer=int(tracer) if tracer.isdigit() and tracer != "0" else None,
        frozen=_frozen(pid),
        descriptors=_count(f"/proc/{pid}/fd"),
        limit=soft,
        hard_limit=hard,
        age=age(process),
    )


def age(process: Process) -> float | None:
    """Seconds since a process started."""
    return None if process.start_time is None else max(0.0, time.time() - process.start_time.timestamp())


def claims(port: int) -> tuple[Claim, ...]:
    """The processes that were told to use a port, by their arguments or, where it may be read, their environment.

    Not the caller and what started it: these name the port because they ask for it.
    """
    found = []
    asking = ancestors(os.getpid())
    for pid in procfs.all_pids()[:MAX_PROCESSES]:
        process = procfs.read_process(pid) if pid not in asking else None
        if process is None or not process.cmdline or process.state == "Z":
            continue
        one = claim(process, age(process), environment(pid), port)
        if one is not None:
            found.append(one)
    return tuple(found)


def unix_sockets(port: int) -> tuple[str, ...]:
    """The Unix sockets on which somebody listens and whose name has the port, as that of PostgreSQL has."""
    number = re.compile(rf"(?<!\d){port}(?!\d)")
    paths = dict.fromkeys(one.path for one in unix_listeners(procfs.read_text("/proc/net/unix") or ""))
    return tuple(path for path in paths if number.search(path.rpartition("/")[2]))


def supervised() -> bool:
    """Whether something runs here that starts servers again when they end."""
    found = (procfs.read_process(pid) for pid in procfs.all_pids()[:MAX_PROCESSES])
    return any(one is not None and supervises(one) for one in found)


def ancestors(pid: int) -> set[int]:
    """A process and its parents (proc_pid_status(5), PPid)."""
    found: set[int] = set()
    while pid > 1 and pid not in found:
        found.add(pid)
        parent = _status(pid).get("PPid", "")
        pid = int(parent) if parent.isdigit() else 0
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


def _descriptor_limits(pid: int) -> tuple[int | None, int | None]:
    """The soft and the hard limit "Max open files" of /proc/PID/limits (getrlimit(2), RLIMIT_NOFILE)."""
    for line in (procfs.read_text(f"/proc/{pid}/limits") or "").splitlines():
        if line.startswith("Max open files"):
            soft, hard = [*line.split()[3:5], "", ""][:2]
            return (int(soft) if soft.isdigit() else None), (int(hard) if hard.isdigit() else None)
    return None, None


def _frozen(pid: int) -> str | None:
    """The file that holds a process frozen (cgroups(7)): `cgroup.freeze` of version 2, `freezer.state` of version 1."""
    for line in (procfs.read_text(f"/proc/{pid}/cgroup") or "").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            found = _freezer(_unified(), path, "cgroup.freeze", "1", "cgroup.freeze")
        elif "freezer" in controllers.split(","):
            found = _freezer(f"{_CGROUPS}/{controllers}", path, "freezer.self_freezing", "1", "freezer.state")
        else:
            continue
        if found is not None:
            return found
    return None


def _unified() -> str:
    """Where version 2 is mounted, beside version 1 or alone."""
    beside = f"{_CGROUPS}/unified"
    return beside if os.path.exists(f"{beside}/cgroup.procs") else _CGROUPS


def _freezer(root: str, path: str, name: str, value: str, switch: str) -> str | None:
    """The `switch` of the nearest group, from `path` up, whose file `name` has this value."""
    while path.strip("/"):
        if (procfs.read_text(f"{root}{path}/{name}") or "").strip() == value:
            return f"{root}{path}/{switch}"
        path = path.rpartition("/")[0]
    return None
