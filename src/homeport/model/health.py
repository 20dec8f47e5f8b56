"""What homeport can and cannot see on a machine."""

from __future__ import annotations

from dataclasses import dataclass

from homeport.model.snapshot import Netns


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """A source of facts, and why it does not work here (None: it works)."""

    name: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceHealth:
    """A network namespace, and why it cannot be entered (None: it can)."""

    netns: Netns
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHealth:
    """A container engine that answers at a socket, and how many containers run there."""

    place: str
    containers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A capability of capabilities(7), whether it is effective, and what it adds to what can be seen."""

    name: str
    held: bool
    adds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The answer of `homeport doctor`.

    `chosen` is the source that a listing takes now; `kernel` is uname(2)'s release; `btf` whether the kernel carries
    its types (/sys/kernel/btf/vmlinux); `libbpf` its version; `hidden` why /proc does not show every process (None: it
    does); `pinned` whether the BPF iterators are kept in the kernel; `rights` is empty on systems without capabilities.
    `limits` says in a line each what did not answer. None elsewhere: not there, or it cannot be told.
    """

    version: str
    system: str
    kernel: str
    python: str
    uid: int | None
    btf: bool
    libbpf: str | None
    hidden: str | None
    pinned: bool | None
    chosen: str | None
    sources: tuple[SourceHealth, ...]
    namespaces: tuple[NamespaceHealth, ...]
    engines: tuple[EngineHealth, ...]
    rights: tuple[Right, ...]
    limits: tuple[str, ...]
