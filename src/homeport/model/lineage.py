"""Why a process runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Process


class Cause(StrEnum):
    """What started a chain of processes."""

    TERMINAL = "terminal"
    SSH = "ssh"
    MULTIPLEXER = "multiplexer"
    CRON = "cron"
    UNIT = "unit"
    CONTAINER = "container"
    SUPERVISOR = "supervisor"
    EDITOR = "editor"
    AGENT = "agent"
    CI = "ci"
    DESKTOP = "desktop"
    INIT = "init"
    ORPHAN = "orphan"
    """Its parent ended and it was given to init or a subreaper: the cause can no longer be seen."""
    KERNEL = "kernel"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """One process of the chain: `role` names what it is recognised as (shell, package runner, supervisor, …).

    `label` is what the summary calls it (None: it is left out there), `cause` what it may be the cause as. `confidence`
    and `evidence` are those of the recognition, None and empty where it is not recognised. `adopted`: its own parent
    ended, and the next process of the chain was given it.
    """

    process: Process
    role: str | None
    cause: Cause | None
    label: str | None = None
    confidence: Confidence | None = None
    evidence: tuple[Evidence, ...] = ()
    adopted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """The chain from the process itself (first) up to the oldest ancestor that can be seen, and the cause.

    `summary` is made of facts only ("npm run dev ← bash ← tmux"), `broken` says why the chain ends early.
    """

    ancestors: tuple[Ancestor, ...]
    cause: Cause
    summary: str
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    broken: str | None
