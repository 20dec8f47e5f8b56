"""What an entry of the rack of places is made of: facts go in, candidates come out."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from homeport.model.evidence import Evidence
from homeport.model.logs import LogKind
from homeport.model.owners import Container, Process, Unit

OWN_STREAMS = ("/dev/stdout", "/dev/stderr", "/proc/self/fd/1", "/proc/self/fd/2", "/dev/fd/1", "/dev/fd/2")
"""Names of a process's own standard output and error."""


class Shape(Enum):
    """What a descriptor is of, by stat(2)."""

    REGULAR = "regular"
    PIPE = "pipe"
    SOCKET = "socket"
    CHARACTER = "character"
    OTHER = "other"


class Descriptor(NamedTuple):
    """An open file of a process. `target` is the text of its link without " (deleted)", `link` its place in /proc.

    `writable` and `append` are by its flags (proc_pid_fdinfo(5)). `text`: whether the end of a regular file looks like
    text; None: not read, or empty. `inode` is that of a pipe or socket, `size` of a regular file.
    """

    number: int
    target: str
    link: str
    shape: Shape
    writable: bool
    append: bool
    deleted: bool
    inode: int
    device: int
    size: int
    text: bool | None


class Member(NamedTuple):
    """A process of the owner's tree: `descriptors` and `environment` are None where they may not be read.

    `program` is what really runs (`rules.commands`), `words` its arguments. `root`: where its files are, if not where
    the caller's are. `part`: "owner", "child" or "parent".
    """

    process: Process
    part: str
    program: str
    words: tuple[str, ...]
    descriptors: tuple[Descriptor, ...] | None
    environment: Mapping[str, str] | None
    root: str | None


class Config(NamedTuple):
    """A file of a program's own configuration: `kind` as of `rules.port_texts.kind_name`, else the program."""

    program: str
    path: str
    text: str
    member: Member


class Reader(NamedTuple):
    """Who reads a pipe or shows a terminal: the process, and the files that it has open for writing."""

    process: Process
    program: str
    descriptors: tuple[Descriptor, ...]


class Pane(NamedTuple):
    """A window of tmux (`target` is a pane's id) or screen (`target` is a window's number) that can be asked for."""

    program: str
    server: str
    target: str
    name: str


class Remains(NamedTuple):
    """A core file: its path as the owner's namespace names it, when it was written, of which pid and program name."""

    path: str
    modified: float
    pid: int | None
    name: str | None
    signal: int | None


class Marked(NamedTuple):
    """A file in which lines say that they are of one of the processes, by its pid: `line` is such a one.

    `tag`: the name that its program has in a file of a syslog daemon; None: the file is the program's own.
    """

    path: str
    root: str | None
    tag: str | None
    line: str


class Facts(NamedTuple):
    """All that the rack may know of a listener's owner.

    `pipes`: the readers of a pipe by its inode; `terminals`: who shows a terminal, by its path; `panes` likewise.
    `container_file`: where the container's output is kept, `engine`: where one knows it; `journal`: journalctl is here;
    `kernel`: what the kernel said of processes that it ended; `syslog`: the file of a syslog daemon; `marked`: files
    that name one of the processes.
    """

    members: tuple[Member, ...]
    chain: tuple[Process, ...]
    unit: Unit | None
    container: Container | None
    configs: tuple[Config, ...]
    pipes: Mapping[int, tuple[Reader, ...]]
    terminals: Mapping[str, tuple[Reader, ...]]
    panes: Mapping[str, Pane]
    container_file: str | None
    engine: str | None
    journal: bool
    remains: tuple[Remains, ...]
    kernel: tuple[tuple[datetime, str], ...]
    syslog: str | None
    marked: tuple[Marked, ...] = ()


class OfFile(NamedTuple):
    """Read a file, below `root`, or by the link of a descriptor; `only`: lines of this syslog tag alone."""

    path: str
    root: str | None = None
    link: str | None = None
    only: str | None = None


class OfUnit(NamedTuple):
    """Read a unit's journal."""

    unit: str
    user: bool


class OfContainer(NamedTuple):
    """Ask the engine for a container's log."""

    identity: str


class OfPane(NamedTuple):
    """Ask tmux or screen for what a window shows and showed."""

    pane: Pane


class OfText(NamedTuple):
    """Lines that are known already."""

    lines: tuple[str, ...]


Reading = OfFile | OfUnit | OfContainer | OfPane | OfText


class Candidate(NamedTuple):
    """A place where the owner logs. `reading` is None for one that cannot be read back, and `reason` says why."""

    kind: LogKind
    label: str
    what: str | None
    reading: Reading | None
    evidence: tuple[Evidence, ...]
    reason: str | None = None
    remedy: str | None = None


class Place(NamedTuple):
    """A kind of place; `find` answers nothing where there is none."""

    name: str
    find: Callable[[Facts], Iterable[Candidate]]


def of_file(
    path: str, member: Member, evidence: Evidence, *, label: str | None = None, link: str | None = None
) -> Candidate | None:
    """A file that a configuration names, from the folder of its process; None for the process's own streams."""
    if path in OWN_STREAMS or not path:
        return None
    full = posixpath.normpath(posixpath.join(member.process.cwd or "/", path))
    reading = OfFile(full, member.root, link)
    return Candidate(LogKind.FILE, label or posixpath.basename(full), full, reading, (evidence,))
