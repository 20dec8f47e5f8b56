"""`homeport doctor`: which sources of facts work here, why others don't, and what rights would add."""

from __future__ import annotations

import os
import platform

import homeport
from homeport.errors import SourceError
from homeport.model.health import EngineHealth, Health, NamespaceHealth, Right, SourceHealth
from homeport.system import bpf, machine, namespaces, procfs, sources
from homeport.system.engines import Engines

_RIGHTS = (
    # number in linux/capability.h, name in capabilities(7), what homeport can see with it
    (2, "CAP_DAC_READ_SEARCH", "open the descriptor tables of other users' processes"),
    (19, "CAP_SYS_PTRACE", "read what the descriptors of other users' processes are: with the above, every owner"),
    (21, "CAP_SYS_ADMIN", "enter other network namespaces"),
    (38, "CAP_PERFMON", "with CAP_BPF: the bpf source"),
    (39, "CAP_BPF", "with CAP_PERFMON: the bpf source, which sees owners, sockets and namespaces in one pass"),
)


def examine() -> Health:
    """Look at everything that homeport builds on. Nothing is changed."""
    asked = Engines()
    engines = tuple(EngineHealth(place=place, containers=count) for place, count in asked.answering().items())
    problem = bpf.pinned_problem()
    return Health(
        version=homeport.__version__,
        system=platform.system(),
        kernel=platform.release(),
        python=platform.python_version(),
        uid=os.geteuid() if hasattr(os, "geteuid") else None,
        btf=machine.has_btf(),
        libbpf=machine.libbpf_version(),
        hidden=procfs.sees_every_process() if procfs.available() else "/proc is not mounted",
        pinned=bpf.pinned(),
        chosen=_chosen(),
        sources=tuple(SourceHealth(name=one.name, reason=one.missing()) for one in sources.SOURCES),
        namespaces=_namespaces(),
        engines=engines,
        rights=_rights(),
        limits=asked.limits if problem is None else (problem, *asked.limits),
    )


def pin() -> None:
    """Keep the BPF iterators loaded in the kernel until `unpin` or a restart. Raises RightsError, SourceError."""
    bpf.pin()


def unpin() -> None:
    """Take the kept BPF iterators away; nothing happens where there are none. Raises RightsError, SourceError."""
    bpf.unpin()


def _chosen() -> str | None:
    try:
        return sources.choose().name
    except SourceError:  # none works: `sources` says why
        return None


def _namespaces() -> tuple[NamespaceHealth, ...]:
    """Every network namespace that can be seen; a thread tries to enter each (setns(2)) and does nothing there."""
    found = namespaces.census(procfs.all_pids()).netns
    entered = namespaces.inside([one for one in found if not one.own], lambda _: None)
    return tuple(NamespaceHealth(netns=one, reason=_reason(entered.get(one))) for one in found)


def _reason(answer: OSError | None) -> str | None:
    return None if answer is None else answer.strerror or str(answer)


def _rights() -> tuple[Right, ...]:
    held = machine.capabilities()
    if held is None:
        return ()
    return tuple(Right(name=name, held=number in held, adds=adds) for number, name, adds in _RIGHTS)
