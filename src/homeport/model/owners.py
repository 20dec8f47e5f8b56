"""Who can own a socket."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from homeport.lean import NamedTuple
from homeport.model.evidence import Confidence, Evidence


class Process(NamedTuple):
    """A process at one instant; `(pid, start_ticks)` is its identity within one boot.

    From proc(5): `start_ticks` is field 22 of /proc/PID/stat, in clock ticks since boot; `start_time` the same as an
    aware datetime; `name` is comm, at most 15 bytes; `cmdline` its arguments; `exe` and `cwd` are link targets, without
    the kernel's " (deleted)", which `exe_deleted` holds instead; `cgroup` is the text of /proc/PID/cgroup; `session`
    and `terminal` (device number, as in stat(2)'s st_rdev) are fields 6 and 7; `state` is field 3 (one letter).
    `mount_namespace` is the text of the link /proc/PID/ns/mnt.
    None: not readable by the caller, or not known to the source.
    """

    pid: int
    start_ticks: int | None
    start_time: datetime | None
    name: str
    cmdline: tuple[str, ...] | None
    exe: str | None
    exe_deleted: bool
    cwd: str | None
    uid: int | None
    user: str | None
    ppid: int | None
    session: int | None
    terminal: int | None
    state: str | None
    cgroup: str | None
    mount_namespace: str | None = None


class PublishedPort(NamedTuple):
    """A port of the machine that an engine leads to a port of a container."""

    protocol: str
    host_address: str | None
    host_port: int
    container_port: int


class Container(NamedTuple):
    """A container. `id` is the engine's full id; `name`, `image`, `ports` only where the engine answers."""

    engine: str
    id: str
    name: str | None
    image: str | None
    pid: int | None
    ports: tuple[PublishedPort, ...]
    evidence: tuple[Evidence, ...]


class Unit(NamedTuple):
    """A systemd unit: `name` such as `nginx.service`, `scope` "system" or "user", `slice` where told."""

    name: str
    scope: str
    slice: str | None
    evidence: tuple[Evidence, ...]


class Project(NamedTuple):
    """The nearest folder around a working directory that has a version-control or package marker.

    `marker` is the file that made it a project, `branch` the version-control branch (None when detached or no
    repository), `worktree` whether it is a linked git worktree, `framework` what its manifest certainly says.
    """

    name: str
    root: str
    marker: str
    branch: str | None
    worktree: bool
    framework: str | None


class Owner(NamedTuple):
    """A process that holds a socket, with what it belongs to and how that is known."""

    process: Process
    descriptors: tuple[int, ...]
    container: Container | None
    unit: Unit | None
    project: Project | None
    confidence: Confidence
    evidence: tuple[Evidence, ...]


class Reason(StrEnum):
    """Why nobody can be named as the owner of a socket (law 2)."""

    OTHER_USER = "other-user"
    """Held by a process of another user, whose descriptors the caller may not read."""
    KERNEL = "kernel"
    """The kernel's own (NFS, WireGuard, VXLAN …): it never had a descriptor."""
    UNACCEPTED = "unaccepted"
    """A connection that waits for its listener to take it with accept(2)."""
    ORPHAN = "orphan"
    """Closed by its process; the kernel still finishes the connection."""
    TIME_WAIT = "time-wait"
    """The remains of a closed connection (RFC 9293 §3.6.1)."""
    OTHER_NAMESPACE = "other-namespace"
    """Its holder is outside of what can be seen from here: another PID or network namespace."""
    RACED = "raced"
    """The socket or its holder went away during the look."""
    UNKNOWN = "unknown"
    """None of the above could be shown."""


class Unattributed(NamedTuple):
    """No owner can be named, and why; `uid` is the socket's, where the kernel tells it."""

    reason: Reason
    detail: str
    uid: int | None
