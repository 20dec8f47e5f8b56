"""Gathers what `logs.places` asks about: open files, configuration, readers of pipes, remains of crashes."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Sequence

from homeport.logs.places.kind import Config, Descriptor, Facts, Member, Reader, Shape
from homeport.model.owners import Container, Process, Unit
from homeport.rules import port_texts
from homeport.rules.commands import read as command_of
from homeport.system import log_marks, log_remains, multiplexers, procfs
from homeport.system.containment import foreign_namespaces
from homeport.system.lineage import ancestors
from homeport.system.reading import Reader as FileReader
from homeport.system.reading import environment

MAX_MEMBERS = 64
"""Of how many processes of one tree the open files are read."""
MAX_THREADS = 256
"""Of how many threads of a process the children are read."""
MAX_DESCRIPTORS = 512
"""How many open files of one process are looked at."""
MAX_PROCESSES = 4096
"""Among how many processes the reader of a pipe is searched."""
PATIENCE = 0.5
"""Seconds for the search for readers of pipes."""
_DEPTH = 4
_SAMPLE = 2048
_DELETED = " (deleted)"
_SYSLOGS = log_marks.SYSLOGS[:2]
_NGINX_TITLE = "nginx: master process "
_ROUNDS = 3
_TITLED = ("redis-server", "redis-check-rdb", "valkey-server")
"""Programs that write over their arguments, so that these do not tell their configuration: the folder may have it."""
_PTMX = ("/dev/ptmx", "/dev/pts/ptmx")


def below(process: Process) -> list[Process]:
    """The descendants that belong to a server: not those that made a session of their own, unless of its program.

    (PostgreSQL's backends make sessions of their own.)
    """
    found: list[Process] = []
    level = [process]
    for _ in range(_DEPTH):
        children = [(one, child) for one in level for child in map(procfs.read_process, _children(one.pid)) if child]
        level = [child for one, child in children if child.session != child.pid or child.exe == one.exe]
        found += level
        if not level or len(found) >= MAX_MEMBERS:
            break
    return found[:MAX_MEMBERS]


def _children(pid: int) -> list[int]:
    """The children of all threads of a process (proc_pid_task(5), CONFIG_PROC_CHILDREN)."""
    try:
        threads = os.listdir(f"{procfs.PROC}/{pid}/task")[:MAX_THREADS]
    except OSError:  # it has ended
        return []
    texts = (procfs.read_text(f"{procfs.PROC}/{pid}/task/{thread}/children") for thread in threads)
    return [int(word) for text in texts for word in (text or "").split()]


def gather(owners: Sequence[Process], unit: Unit | None, container: Container | None) -> Facts:
    """The facts about the owners of a listener."""
    chain = ancestors(owners[0]).processes[1:] if owners else ()
    parts: dict[int, tuple[Process, str]] = {one.pid: (one, "owner") for one in owners}
    for owner in owners:
        for child in below(owner):
            parts.setdefault(child.pid, (child, "child"))
    for parent in chain[:2]:
        if owners and parent.exe is not None and (parent.exe, parent.cmdline) == (owners[0].exe, owners[0].cmdline):
            parts.setdefault(parent.pid, (parent, "parent"))
    members = tuple(member(process, part) for process, part in list(parts.values())[:MAX_MEMBERS])
    pipes, terminals = _readers(members)
    log_file, engine = log_remains.container_log(container, chain)
    return Facts(
        members=members,
        chain=tuple(chain),
        unit=unit,
        container=container,
        configs=tuple(_configs(members, chain, unit)),
        pipes=pipes,
        terminals=terminals,
        panes=multiplexers.panes(members, _terminals(members)),
        container_file=log_file,
        engine=engine,
        journal=shutil.which("journalctl") is not None,
        remains=tuple(log_remains.cores(members)),
        kernel=tuple(log_remains.kernel_lines()),
        syslog=next((path for path in _SYSLOGS if os.path.exists(path)), None),
        marked=tuple(log_marks.marked(members)),
    )


def member(process: Process, part: str) -> Member:
    """What of a process its logs can be found by."""
    command = command_of(process)
    foreign = foreign_namespaces(process.pid)
    files = procfs.read_link(f"{procfs.PROC}/{process.pid}/root")
    apart = (foreign is not None and "mnt" in foreign) or files not in (None, "/")
    return Member(
        process=process,
        part=part,
        program=command.program,
        words=_words(process),
        descriptors=_descriptors(process),
        environment=environment(process.pid),
        root=f"{procfs.PROC}/{process.pid}/root" if apart else None,
    )


def _words(process: Process) -> tuple[str, ...]:
    """The arguments, those too that nginx has put into its title."""
    words = process.cmdline or ()
    if words and words[0].startswith(_NGINX_TITLE):
        return tuple(words[0].removeprefix(_NGINX_TITLE).split())
    return words


def _descriptors(process: Process) -> tuple[Descriptor, ...] | None:
    """The open files of a process; None where they may not be read, or when it has ended."""
    folder = f"{procfs.PROC}/{process.pid}/fd"
    try:
        numbers = sorted(int(name) for name in os.listdir(folder))
    except OSError:  # ended, or closed to the caller: the answer says which
        return None
    found = []
    for number in numbers[:MAX_DESCRIPTORS]:
        one = _descriptor(f"{folder}/{number}", number, process.pid)
        if one is not None:
            found.append(one)
    return tuple(found)


def _descriptor(link: str, number: int, pid: int) -> Descriptor | None:
    target = procfs.read_link(link)
    if target is None or (number > 2 and not target.startswith("/")):
        return None
    flags = _flags(pid, number)
    try:
        facts = os.stat(link)
    except OSError:  # closed in between, or a file server that does not answer
        return None
    shape = _shape(facts.st_mode)
    writable = flags is not None and flags & os.O_ACCMODE != os.O_RDONLY
    deleted = shape is Shape.REGULAR and facts.st_nlink == 0
    return Descriptor(
        number=number,
        target=target.removesuffix(_DELETED) if deleted else target,
        link=link,
        shape=shape,
        writable=writable,
        append=bool(flags is not None and flags & os.O_APPEND),
        deleted=deleted,
        inode=facts.st_ino,
        device=facts.st_dev,
        size=facts.st_size,
        text=_is_text(link, facts.st_size) if shape is Shape.REGULAR and writable else None,
    )


def _shape(mode: int) -> Shape:
    for test, shape in (
        (stat.S_ISREG, Shape.REGULAR),
        (stat.S_ISFIFO, Shape.PIPE),
        (stat.S_ISSOCK, Shape.SOCKET),
        (stat.S_ISCHR, Shape.CHARACTER),
    ):
        if test(mode):
            return shape
    return Shape.OTHER


def _flags(pid: int, number: int) -> int | None:
    """The flags of open(2), octal in fdinfo (proc_pid_fdinfo(5))."""
    for line in (procfs.read_text(f"{procfs.PROC}/{pid}/fdinfo/{number}", 4096) or "").splitlines():
        if line.startswith("flags:"):
            digits = line[6:].strip()
            return int(digits, 8) if digits.isascii() and digits.isdigit() else None
    return None


def _is_text(link: str, size: int) -> bool | None:
    """Whether the end of a file is text; None for an empty one, and for one that may not be read."""
    try:
        descriptor = os.open(link, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:  # a user that may write it may yet not read it, and the other way round
        return None
    try:
        sample = os.pread(descriptor, _SAMPLE, max(0, size - _SAMPLE))
    except OSError:  # an error of the disk or of a file server
        return None
    finally:
        os.close(descriptor)
    if not sample:
        return None
    odd = sum(byte < 32 and byte not in b"\t\n\r\x1b\f\b" for byte in sample)
    return b"\0" not in sample and odd <= len(sample) // 20


def _configs(members: Iterable[Member], chain: Sequence[Process], unit: Unit | None) -> list[Config]:
    """The configuration of the programs, with what it includes; of a supervising parent and of the unit, too."""
    found: list[Config] = []
    seen: set[tuple[str, str | None]] = set()
    some = [one for one in members if one.part == "owner"]
    if any(one.program == "nginx" and len(one.words) > 1 for one in some):  # its workers do not tell how it was started
        some = [one for one in some if one.words[:1] != ("nginx: worker process",)]
    some += [member(parent, "parent") for parent in chain if command_of(parent).program == "supervisord"]
    for one in some:
        patterns = port_texts.configuration(one.program, one.words[1:], one.process.cwd)
        if one.program in _TITLED and one.process.cwd is not None:
            patterns += (f"{one.process.cwd}/*.conf",)
        reader = FileReader(one.root)
        kind = port_texts.kind_name(one.program)
        for pattern in patterns:
            if (pattern, one.root) not in seen:
                seen.add((pattern, one.root))
                found += [
                    Config(one.program, path, text, one) for path, text in _follow(reader, pattern, kind, None, 0)
                ]
    if unit is not None and some:
        name = unit.name
        template = f"{name.partition('@')[0]}@.service" if "@" in name else name
        reader = FileReader()
        for folder in ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"):
            for path in dict.fromkeys((f"{folder}/{name}", f"{folder}/{template}", f"{folder}/{name}.d/*.conf")):
                found += [Config("systemd", file, text, some[0]) for file, text in reader.texts(path, None)]
    return found


def _follow(reader: FileReader, pattern: str, kind: str | None, main: str | None, depth: int) -> list[tuple[str, str]]:
    """The files of a pattern and those that they include, below the folder of the first where that counts."""
    found = []
    for path, text in reader.texts(pattern, None):
        found.append((path, text))
        own = os.path.dirname(path)
        first = own if main is None else main
        if depth < _DEPTH:
            base = first if kind in ("nginx", "apache") else own
            for name in port_texts.includes(path, text, kind):
                found += _follow(reader, os.path.normpath(os.path.join(base, name)), kind, first, depth + 1)
    return found


def _terminals(members: Iterable[Member]) -> frozenset[str]:
    streams = (one for each in members for one in each.descriptors or () if one.number in (1, 2))
    return frozenset(one.target for one in streams if one.shape is Shape.CHARACTER and one.target != "/dev/null")


def _readers(members: Sequence[Member]) -> tuple[dict[int, tuple[Reader, ...]], dict[str, tuple[Reader, ...]]]:
    """Who has the other ends of the pipes and terminals that standard output and error lead to."""
    streams = [one for each in members for one in each.descriptors or () if one.number in (1, 2)]
    pipes = {one.target: one.inode for one in streams if one.shape is Shape.PIPE}
    terminals = {one.rsplit("/", 1)[1]: one for one in _terminals(members) if one.startswith("/dev/pts/")}
    by_pipe: dict[int, tuple[Reader, ...]] = {}
    by_terminal: dict[str, tuple[Reader, ...]] = {}
    deadline = time.monotonic() + PATIENCE
    for _ in range(_ROUNDS):  # once more for what the readers hand it on to
        if not pipes and not terminals:
            break
        found = list(_holders(pipes, terminals, deadline))
        for target, reader in found:
            if target in pipes:
                by_pipe[pipes[target]] = (*by_pipe.get(pipes[target], ()), reader)
            else:
                by_terminal[target] = (*by_terminal.get(target, ()), reader)
        further = [one for _, reader in found for one in reader.descriptors if one.number == 1]
        pipes = {one.target: one.inode for one in further if one.shape is Shape.PIPE and one.inode not in by_pipe}
        terminals = {}
    return by_pipe, by_terminal


def _holders(pipes: dict[str, int], terminals: dict[str, str], deadline: float) -> Iterator[tuple[str, Reader]]:
    """Who has one of the other ends, with which."""
    for pid in procfs.all_pids()[:MAX_PROCESSES]:
        if time.monotonic() > deadline:
            break
        for target in _other_ends(pid, pipes, terminals):
            process = procfs.read_process(pid)
            if process is not None:
                yield target, Reader(process, command_of(process).program, _descriptors(process) or ())


def _other_ends(pid: int, pipes: dict[str, int], terminals: dict[str, str]) -> set[str]:
    """Which of the pipes a process has open for reading, and which of the terminals it is the master of."""
    found: set[str] = set()
    try:
        names = os.listdir(f"{procfs.PROC}/{pid}/fd")
    except OSError:  # ended, or closed to the caller
        return found
    for name in names[:MAX_DESCRIPTORS]:
        target = procfs.read_link(f"{procfs.PROC}/{pid}/fd/{name}")
        if target in pipes:
            flags = _flags(pid, int(name))
            if flags is not None and flags & os.O_ACCMODE != os.O_WRONLY:
                found.add(target)
        elif target in _PTMX and terminals:
            text = procfs.read_text(f"{procfs.PROC}/{pid}/fdinfo/{name}", 4096) or ""
            index = next((line.split()[1] for line in text.splitlines() if line.startswith("tty-index:")), None)
            if index in terminals:
                found.add(terminals[index])
    return found
