"""Why a process runs: the chain of its parents, checked, recognised, and the cause among them.

The laws of this file. A parent that started after its child is a recycled pid, and ends the chain: it is never shown.
A process keeps the session of the process that forked it, unless it makes one of its own (setsid(2)); so a process in a
session that is neither its own nor its parent's was forked by somebody else, who has ended, and was adopted.

The cause is the nearest ancestor that decides (an editor, an agent, cron, an ssh session, a multiplexer, a process
manager …), before it a container, after it a unit, an adoption, a terminal, and what only passes on (npm, make, a
server's master), in this order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from itertools import pairwise
from typing import NamedTuple

from homeport.model.evidence import Confidence, Evidence
from homeport.model.lineage import Ancestor, Cause, Lineage
from homeport.model.owners import Container, Process, Unit
from homeport.rules.cgroups import container_of
from homeport.rules.commands import presentable, read
from homeport.rules.naming import label
from homeport.rules.roles import VARIABLES, Recognition, recognise

MAX_DEPTH = 64
"""Longest chain that is followed."""
MEMORIES = frozenset(
    ("TMUX", "SSH_CONNECTION", "SSH_TTY", "TERM_PROGRAM", "TERMINAL_EMULATOR", "npm_lifecycle_event",
     "npm_package_name", "CLAUDECODE", "CODEX_SANDBOX", "GEMINI_CLI", "CURSOR_AGENT", "GITHUB_ACTIONS",
     "GITLAB_CI", "INVOCATION_ID")
)  # fmt: skip
HINTS = VARIABLES | MEMORIES
"""The only environment variables that are asked for; none of them holds a secret."""
_MAX_PARTS = 9
_INITS = ("init", "launchd")
_SHELL_VALUED = frozenset(("-o", "+o", "-O", "+O", "--rcfile", "--init-file"))


class Hints(NamedTuple):
    """What else was seen: environments by pid (of `HINTS` only), session leaders by session id, sessions by server.

    `leaders` holds None for a leader that has ended; `sessions` the name that a tmux server itself gives.
    """

    environments: Mapping[int, Mapping[str, str]] = {}
    leaders: Mapping[int, Process | None] = {}
    sessions: Mapping[int, str] = {}


class _Verdict(NamedTuple):
    cause: Cause
    confidence: Confidence
    evidence: tuple[Evidence, ...]


def trace(
    chain: Sequence[Process],
    *,
    broken: str | None = None,
    unit: Unit | None = None,
    container: Container | None = None,
    hints: Hints | None = None,
) -> Lineage:
    """The lineage of `chain[0]`, whose parents follow in order; `broken` is why the chain ends there, if it is known.

    What does not fit (not the parent, younger than its child, met before) is cut off, and `broken` then says so.
    """
    hints = Hints() if hints is None else hints
    chain, broken = checked(chain, broken)
    known = [recognise(process) for process in chain]
    ancestors = [_ancestor(chain, known, index, hints) for index in range(len(chain))]
    decider = next((one for one in known[1 : _first_adopted(ancestors) + 1] if one and one.role.decides), None)
    verdict = _cause(ancestors, decider, unit, container, hints, broken)
    recognised = [fact for one in ancestors[1:] for fact in one.evidence]
    evidence = dict.fromkeys((*verdict.evidence, *recognised, *(_memories(chain[0], hints, verdict.cause))))
    return Lineage(
        ancestors=tuple(ancestors),
        cause=verdict.cause,
        summary=_summary(ancestors, unit, container, broken),
        confidence=verdict.confidence,
        evidence=tuple(evidence),
        broken=broken,
    )


def older(parent: Process, child: Process) -> bool | None:
    """Whether a process started no later than its child: by clock ticks (equal is allowed), else by time, else None."""
    if parent.start_ticks is not None and child.start_ticks is not None:
        return parent.start_ticks <= child.start_ticks
    if parent.start_time is not None and child.start_time is not None:
        return parent.start_time <= child.start_time
    return None


def checked(chain: Sequence[Process], broken: str | None = None) -> tuple[list[Process], str | None]:
    """The part of a chain that holds, and why it ends there."""
    kept = [chain[0]]
    seen = {chain[0].pid}
    for parent in chain[1:]:
        child = kept[-1]
        if child.ppid != parent.pid:
            return kept, f"the parent of {child.pid} is {child.ppid}, which was not read"
        if parent.pid in seen:
            return kept, f"the parents of {child.pid} run in a circle"
        fits = older(parent, child)
        if not fits:
            reason = "its start time is not known" if fits is None else "it started after its child"
            return kept, f"pid {parent.pid} is not the process that started {child.pid}: {reason}"
        if len(kept) == MAX_DEPTH:
            return kept, f"only {MAX_DEPTH} parents are followed"
        kept.append(parent)
        seen.add(parent.pid)
    return kept, broken


def tty_name(device: int) -> str | None:
    """The name below /dev of a terminal's device number (Documentation/admin-guide/devices.txt), if it is known."""
    major = (device >> 8) & 0xFFF
    minor = (device & 0xFF) | ((device >> 12) & 0xFFF00)
    if 136 <= major <= 143:
        return f"pts/{(major - 136) * 0x100000 + minor}"
    if major == 4:
        return f"tty{minor}" if minor < 64 else f"ttyS{minor - 64}"
    if major == 204:
        return f"ttyAMA{minor - 64}" if 64 <= minor < 80 else None
    return {(5, 1): "console", (229, minor): f"hvc{minor}"}.get((major, minor))


def _ancestor(chain: Sequence[Process], known: Sequence[Recognition | None], index: int, hints: Hints) -> Ancestor:
    process, mine = chain[index], known[index]
    child = chain[index - 1] if index else None
    role = None if mine is None else mine.role.role
    cause = None if mine is None else mine.role.cause
    if process.pid == 1 and (mine is None or not mine.role.decides):
        role, cause = "init", Cause.INIT
    elif process.pid == 2 and process.name == "kthreadd":
        role, cause = "kernel", Cause.KERNEL
    return Ancestor(
        process=process,
        role=role,
        cause=cause,
        label=_label(process, child, role, mine, hints),
        confidence=None if mine is None else mine.confidence,
        evidence=() if mine is None else (mine.evidence,),
        adopted=index + 1 < len(chain) and _is_adopted(process, chain[index + 1]),
    )


def _first_adopted(ancestors: Sequence[Ancestor]) -> int:
    """Where the chain leaves those who forked one another; the number of ancestors where it does not."""
    return next((index for index, one in enumerate(ancestors) if one.adopted), len(ancestors))


def _is_adopted(child: Process, parent: Process) -> bool:
    """Session 0 is one that cannot be seen from this PID namespace: it proves nothing."""
    mine, its = child.session, parent.session
    return bool(mine) and its is not None and mine not in (child.pid, its)


def _label(
    process: Process, child: Process | None, role: str | None, known: Recognition | None, hints: Hints
) -> str | None:
    if child is None:
        return label(process) if known is None or not known.role.shows else known.label
    if role == "init":
        own_name = process.name if known is None or known.role.role == "shell" else known.label
        return "init" if own_name in _INITS else f"init ({own_name})"
    if role == "kernel":
        return "kernel"
    if known is None:
        return label(process)
    if known.role.role == "shell":
        return _shell(process)
    name = _which(process, child, known, hints)
    return known.label if name is None else f"{known.label} {name}"


def _shell(process: Process) -> str | None:
    """`bash (pts/3)`, `bash run.sh`; None for the go-between `sh -c …`."""
    arguments = process.cmdline or ()
    name = (process.exe or process.name).rsplit("/", 1)[-1]
    words = iter(arguments[1:])
    for word in words:
        if word in _SHELL_VALUED:
            next(words, None)
        elif word != "-" and not word.startswith(("--", "+")) and word.startswith("-"):
            if "c" in word:
                return None
        elif not word.startswith(("-", "+")):
            script = presentable(word)
            return name if script is None else f"{name} {script}"
    tty = None if process.terminal is None else tty_name(process.terminal)
    return f"{name} ({tty})" if tty is not None else name


def _which(process: Process, child: Process, known: Recognition, hints: Hints) -> str | None:
    """Which of its sessions, programs or clients: by the program itself, else by the environment of its child."""
    environment = hints.environments.get(child.pid, {})
    if known.role.role == "ssh session":
        return _client(process, environment)
    if process.pid in hints.sessions:
        return _quoted(hints.sessions[process.pid])
    value = environment.get(known.role.variable or "")
    if known.label == "tmux":
        first = _option(process.cmdline or (), "-s") if environment.get("TMUX", "").endswith(",0") else None
        if first is not None:  # session $0 is the one that the server was started with
            return _quoted(first)
        return None if value is None else f"pane {value[:20]}"
    if known.label == "screen" and value is not None:
        return _quoted(value.partition(".")[2] or value)
    return None if value is None else _quoted(value)


def _client(process: Process, environment: Mapping[str, str]) -> str | None:
    """`(ada from 192.0.2.4)`: the user from the title `sshd: ada@pts/0`, the address from SSH_CONNECTION."""
    command = read(process)
    words = (command.title or "").split()
    user = words[1].rpartition("@")[0] or words[1] if len(words) > 1 else None
    client = environment.get("SSH_CONNECTION", "").partition(" ")[0]
    try:
        address = f"from {ip_address(client)}"
    except ValueError:  # no hint, or one that somebody made up
        address = None
    told = " ".join(part for part in (user, address) if part)
    return f"({told})" if told else None


def _option(arguments: Sequence[str], name: str) -> str | None:
    for option, value in pairwise(arguments):
        if option == name:
            return value
    return None


def _quoted(name: str) -> str:
    return f'"{name[:40]}"'


def _cause(
    ancestors: Sequence[Ancestor],
    decider: Recognition | None,
    unit: Unit | None,
    container: Container | None,
    hints: Hints,
    broken: str | None,
) -> _Verdict:
    """The order of the causes, as the top of this file tells it."""
    last = ancestors[-1]
    if container is not None:
        return _Verdict(Cause.CONTAINER, Confidence.CERTAIN, container.evidence)
    if last.cause is Cause.KERNEL:
        fact = Evidence(f"/proc/{last.process.pid}/stat", "its oldest ancestor is kthreadd")
        return _Verdict(Cause.KERNEL, Confidence.CERTAIN, (fact,))
    if decider is not None and decider.role.cause is not None:
        return _Verdict(decider.role.cause, decider.confidence, (decider.evidence,))
    if unit is not None and not unit.name.endswith(".scope"):
        return _Verdict(Cause.UNIT, Confidence.CERTAIN, unit.evidence)
    adopted = _first_adopted(ancestors)
    if adopted + 1 < len(ancestors):
        return _orphan(ancestors[adopted].process, ancestors[adopted + 1], hints)
    if len(ancestors) == 1 and last.cause is Cause.INIT:
        return _Verdict(Cause.INIT, Confidence.CERTAIN, (Evidence("/proc/1/stat", "it is init itself"),))
    return _passed_on(ancestors, unit, broken)


def _orphan(process: Process, adopter: Ancestor, hints: Hints) -> _Verdict:
    said = f"parent {process.ppid}, session {process.session}"
    text = f"{said}: forked by somebody else, who has ended"
    sure = Confidence.CERTAIN if adopter.process.pid == 1 else Confidence.LIKELY
    leader = hints.leaders.get(process.session or 0)
    if process.session in hints.leaders:
        if leader is None:
            text += "; the leader of the session has ended too"
        else:
            tty = None if leader.terminal is None else tty_name(leader.terminal)
            text += f"; the session is that of {label(leader).removeprefix('-')}" + (f" ({tty})" if tty else "")
    return _Verdict(Cause.ORPHAN, sure, (Evidence(f"/proc/{process.pid}/stat", text),))


def _passed_on(ancestors: Sequence[Ancestor], unit: Unit | None, broken: str | None) -> _Verdict:
    """The cause where nobody decides: a terminal, what passes on, init, or unknown."""
    parents = ancestors[1:]
    for one in parents:
        device = one.process.terminal
        tty = None if device is None else tty_name(device)
        if one.role == "shell" and one.label is not None and tty is not None:
            fact = Evidence(f"/proc/{one.process.pid}/stat", f"controlling terminal {tty}")
            return _Verdict(Cause.TERMINAL, Confidence.CERTAIN, (fact,))
    runner = next((one for one in reversed(parents) if one.cause is Cause.SUPERVISOR), None)
    if runner is not None and runner.confidence is not None:
        return _Verdict(Cause.SUPERVISOR, runner.confidence, runner.evidence)
    device = ancestors[0].process.terminal
    if device is not None and (tty := tty_name(device)) is not None:
        fact = Evidence(f"/proc/{ancestors[0].process.pid}/stat", f"controlling terminal {tty}")
        return _Verdict(Cause.TERMINAL, Confidence.LIKELY, (fact,))
    if broken is None and ancestors[-1].cause is Cause.INIT:
        return _under_init(ancestors[-2].process, ancestors[-1].process, unit)
    return _Verdict(Cause.UNKNOWN, Confidence.POSSIBLE, ())


def _under_init(child: Process, init: Process, unit: Unit | None) -> _Verdict:
    """A child of init with a session of its own was started by init, or detached itself (daemon(3))."""
    source = f"/proc/{child.pid}/stat"
    if init.name == "systemd":
        inside = "without a unit" if unit is None else f"in {unit.name}"
        fact = Evidence(source, f"its parent is systemd, which starts services only, but it runs {inside}")
        return _Verdict(Cause.ORPHAN, Confidence.LIKELY, (fact,))
    if child.session == child.pid:
        fact = Evidence(source, "its parent is init and its session its own: started by init, or detached by itself")
        return _Verdict(Cause.INIT, Confidence.POSSIBLE, (fact,))
    return _Verdict(Cause.INIT, Confidence.LIKELY, (Evidence(source, "its parent is init, and so is its session"),))


def _memories(process: Process, hints: Hints, cause: Cause) -> list[Evidence]:
    """What the environment remembers of the place where an orphan was started."""
    if cause not in (Cause.ORPHAN, Cause.INIT, Cause.UNKNOWN):
        return []
    environment = hints.environments.get(process.pid, {})
    return [
        Evidence(f"/proc/{process.pid}/environ", f"{name}={environment[name][:120]}")
        for name in sorted(MEMORIES & environment.keys())
    ]


def _summary(ancestors: Sequence[Ancestor], unit: Unit | None, container: Container | None, broken: str | None) -> str:
    parts: list[str] = []
    for index, one in enumerate(ancestors):
        if index and container is not None and _outside(one, ancestors[0].process, container):
            break
        if index and one.role == "init" and unit is not None:
            parts.append(f"unit {unit.name}")
        decides = one.cause is not None and index > 1 and one.cause is ancestors[index - 1].cause
        again = decides and one.role == ancestors[index - 1].role and one.cause is not Cause.SUPERVISOR
        again = again or (one.role == "ssh server" and ancestors[index - 1].cause is Cause.SSH)
        if one.label is not None and not again and (index < 2 or one.label != parts[-1]):
            parts.append(one.label)
        if one.adopted:
            parts.append("(its parent ended)")
    if container is not None:
        parts.append(f"container {container.name or container.id[:12]}")
    elif broken is not None:
        parts.append("?")
    if len(parts) > _MAX_PARTS:
        parts[_MAX_PARTS - 3 : -2] = ["…"]
    return " ← ".join(parts)


def _outside(one: Ancestor, first: Process, container: Container) -> bool:
    """By control groups where they name the container, else from the runtime on."""
    if one.cause is Cause.CONTAINER:
        return True
    mine, its = (container_of(process.cgroup or "") for process in (first, one.process))
    return mine is not None and mine.id == container.id and (its is None or its.id != container.id)
