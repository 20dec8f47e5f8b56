"""Standard output and error: where they lead, and who reads them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from homeport.logs.places import descriptors
from homeport.logs.places.kind import Candidate, Descriptor, Facts, Member, OfFile, OfPane, Place, Reader, Shape
from homeport.model.evidence import Evidence
from homeport.model.logs import LogKind
from homeport.rules.shell import word

_NAMES = {1: "stdout", 2: "stderr"}
_BOTH = "stdout and stderr"
_KEEPERS = ("tee", "multilog", "cronolog", "rotatelogs", "svlogd", "s6-log")
"""Programs that keep what they read in files."""
_MOST_READERS = 16


def find(facts: Facts) -> Iterator[Candidate]:
    """Where the streams of each process lead, each place once, the owners' first."""
    seen: dict[tuple[object, ...], None] = {}
    for member in facts.members:
        streams = {one.number: one for one in member.descriptors or () if one.number in _NAMES}
        if member.descriptors is None:
            continue
        closed = [name for number, name in _NAMES.items() if number not in streams]
        if closed and member.part == "owner" and ("closed",) not in seen:
            seen["closed",] = None
            yield _closed(member, closed)
        for number, one in streams.items():
            key = (one.device, one.inode, one.target if one.shape is Shape.CHARACTER else None)
            if key in seen or not (one.writable or one.shape in (Shape.SOCKET, Shape.CHARACTER)):
                continue
            seen[key] = None
            if member.part != "owner" and one.target == "/dev/null":  # helpers of a server have nothing to say
                continue
            both = number == 1 and 2 in streams and _same(one, streams[2])
            yield from _place(facts, member, one, _BOTH if both else _NAMES[number])


def _same(one: Descriptor, other: Descriptor) -> bool:
    return (one.device, one.inode, one.target) == (other.device, other.inode, other.target)


def _leads(stream: str) -> str:
    return "lead" if stream == _BOTH else "leads"


def _place(facts: Facts, member: Member, one: Descriptor, stream: str) -> Iterator[Candidate]:
    text = f"{stream} of process {member.process.pid} ({member.program}) {_leads(stream)} to {one.target}"
    evidence = Evidence(one.link, text)
    if one.shape is Shape.REGULAR:
        yield descriptors.candidate(one, posixpath.basename(one.target), member.root, evidence)
    elif one.target == "/dev/null":
        reason = f"thrown away: process {member.process.pid} was started with its {stream} on /dev/null"
        yield Candidate(LogKind.NULL, stream, "/dev/null", None, (evidence,), reason)
    elif one.shape is Shape.CHARACTER:
        yield from _terminal(facts, one, stream, evidence)
    elif one.shape is Shape.PIPE:
        yield from _pipe(facts, member, one, stream, evidence)
    elif one.shape is Shape.SOCKET:
        yield _socket(facts, member, one, stream, evidence)


def _closed(member: Member, names: list[str]) -> Candidate:
    what = " and ".join(names)
    evidence = Evidence(f"/proc/{member.process.pid}/fd", f"no descriptor {'or '.join(names)}")
    return Candidate(LogKind.CLOSED, what, None, None, (evidence,), f"{what} of process {member.process.pid} is closed")


def _terminal(facts: Facts, one: Descriptor, stream: str, evidence: Evidence) -> Iterator[Candidate]:
    pane = facts.panes.get(one.target)
    if pane is not None:
        shown = Evidence(pane.program, f"{one.target} is {pane.name} of {pane.program}, which keeps what was written")
        label = f"{pane.program} {pane.name}"
        yield Candidate(LogKind.PANE, label, _capture(facts, one.target), OfPane(pane), (evidence, shown))
        return
    masters = facts.terminals.get(one.target, ())
    shown_by = _who(masters)
    reason = f"{stream} is shown on the terminal {one.target}"
    reason += f" by {shown_by}" if shown_by else ""
    written = [
        each
        for master in masters
        for each in (master.descriptors if master.program == "script" else ())
        if each.shape is Shape.REGULAR and each.writable and each.number > 2
    ]
    if written:
        reason += f", which writes it to {', '.join(each.target for each in written)}"
        yield Candidate(LogKind.TERMINAL, stream, one.target, None, (evidence,), reason)
        for each in written:
            kept = Evidence(each.link, f"script(1) writes what {one.target} shows")
            yield descriptors.candidate(each, posixpath.basename(each.target), None, kept)
        return
    reason += ": what was written to a terminal cannot be read back"
    remedy = "start it again with `… 2>&1 | tee server.log`, or in tmux, which keeps what was written"
    yield Candidate(LogKind.TERMINAL, stream, one.target, None, (evidence,), reason, remedy)


def _capture(facts: Facts, terminal: str) -> str:
    pane = facts.panes[terminal]
    if pane.program == "tmux":
        return f"tmux -S {pane.server} capture-pane -p -S - -t '{pane.target}'"
    return f"screen -S {pane.server} -p {pane.target} -X hardcopy -h FILE"


def _pipe(facts: Facts, member: Member, one: Descriptor, stream: str, evidence: Evidence) -> Iterator[Candidate]:
    own = {each.process.pid for each in facts.members}
    everybody = facts.pipes.get(one.inode, ())
    readers = tuple(each for each in everybody if each.process.pid not in own)
    if everybody and not readers:  # PostgreSQL's collector, for one: its files are among those of the tree
        told = _who(tuple(each for each in everybody if each.process.pid != member.process.pid) or everybody)
        reason = f"{stream} is a pipe to {told}, which is of the same server"
        yield Candidate(LogKind.PIPE, stream, one.target, None, (evidence,), reason)
        return
    chain = _chain(facts, readers, own)
    told = _who(chain)
    files = [(reader, each) for reader in chain for each in reader.descriptors if _written_for(facts, reader, each)]
    reason = f"{stream} is a pipe to {told}" if told else f"{stream} is a pipe whose reader cannot be seen from here"
    handed = next((reader for reader in chain if reader.program in ("logger", "systemd-cat")), None)
    remedy = None
    if any(reader.program == "conmon" for reader in readers) or facts.container is not None:
        reason += ": it is the container's log"
    elif files:
        reason += f", which writes it to {', '.join(dict.fromkeys(each.target for _, each in files))}"
    elif handed is not None:
        reason += ", which hands it to the system's log"
        remedy = f"journalctl -t {word(_tag(handed))}" if facts.journal else None
    elif told:
        reason += ": what it has taken cannot be read back here"
    yield Candidate(LogKind.PIPE, stream, one.target, None, (evidence,), reason, remedy)
    if handed is not None and facts.syslog is not None:
        tag = _tag(handed)
        text = f"process {handed.process.pid} ({handed.program}) hands {stream} to the system's log as {tag}"
        reading = OfFile(facts.syslog, only=tag)
        evidence = Evidence(f"/proc/{handed.process.pid}/cmdline", text)
        yield Candidate(
            LogKind.SYSLOG, f"{tag} in {posixpath.basename(facts.syslog)}", facts.syslog, reading, (evidence,)
        )
    for reader, each in files:
        text = (
            f"process {reader.process.pid} ({reader.program}), which reads {stream} of {member.process.pid}, writes it"
        )
        yield descriptors.candidate(each, posixpath.basename(each.target), None, Evidence(each.link, text))


def _chain(facts: Facts, readers: tuple[Reader, ...], own: set[int]) -> tuple[Reader, ...]:
    """The readers of a pipe, those that they hand it on to, and so on: `server | grep -v ping | ts > log`."""
    found = {each.process.pid: each for each in readers}
    level = readers
    while level and len(found) < _MOST_READERS:
        ends = [
            each.inode for one in level for each in one.descriptors if each.number == 1 and each.shape is Shape.PIPE
        ]
        level = tuple(
            each for end in ends for each in facts.pipes.get(end, ()) if each.process.pid not in own | found.keys()
        )
        found |= {each.process.pid: each for each in level}
    return tuple(found.values())


def _tag(reader: Reader) -> str:
    """What logger(1) and systemd-cat(1) call what they are given: `-t NAME`, else the user or the command."""
    words = reader.process.cmdline or ()
    for at, one in enumerate(words[1:], 1):
        if one in ("-t", "--tag", "--identifier") and at + 1 < len(words):
            return words[at + 1]
        if one.startswith(("--tag=", "--identifier=")):
            return one.partition("=")[2]
        if one.startswith("-t") and len(one) > 2:
            return one[2:]
    return reader.process.user or "root"


def _written_for(facts: Facts, reader: Reader, each: Descriptor) -> bool:
    """Whether a file of a pipe's reader is for this program's output, not for its own complaints (its stderr).

    A supervisor has a file for each of many programs; what is no keeper of logs writes what it made of it to stdout.
    """
    if each.shape is not Shape.REGULAR or not each.writable or each.number == 2:
        return False
    if reader.program == "supervisord":
        name = next((one.environment.get("SUPERVISOR_PROCESS_NAME") for one in facts.members if one.environment), None)
        return name is not None and posixpath.basename(each.target).startswith((f"{name}-", f"{name}."))
    if reader.program not in _KEEPERS:
        return each.number == 1
    kept = [one for one in reader.descriptors if one.number > 2 and one.shape is Shape.REGULAR and one.writable]
    if each.number == 1:  # the same lines once more
        return reader.program == "tee" and not kept
    return posixpath.basename(each.target) not in ("lock", "state")


def _who(readers: tuple[Reader, ...]) -> str:
    return ", ".join(dict.fromkeys(f"{one.program} ({one.process.pid})" for one in readers))


def _socket(facts: Facts, member: Member, one: Descriptor, stream: str, evidence: Evidence) -> Candidate:
    """JOURNAL_STREAM holds device and inode of the socket that systemd has given it (systemd.exec(5))."""
    given = (member.environment or {}).get("JOURNAL_STREAM", "")
    if given == f"{one.device}:{one.inode}" or (facts.unit is not None and given):
        note = Evidence(f"/proc/{member.process.pid}/environ", f"JOURNAL_STREAM={given}")
        reason = f"{stream} {_leads(stream)} to the journal"
        return Candidate(LogKind.SOCKET, stream, one.target, None, (evidence, note), reason)
    reason = f"{stream} is a socket ({one.target}): who reads it cannot be seen"
    return Candidate(LogKind.SOCKET, stream, one.target, None, (evidence,), reason)


PLACE = Place("standard output and error", find)
