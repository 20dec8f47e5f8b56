"""Text of `homeport show`: labels on the left, one fact a line, in the order in which a person asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from homeport.cli.listing import SCOPES
from homeport.cli.services import service_text
from homeport.cli.sheet import LABEL, Sheet
from homeport.cli.text import Paint, table
from homeport.model.addresses import Scope
from homeport.model.diagnosis import Diagnosis, RemedyKind
from homeport.model.evidence import Confidence, Evidence
from homeport.model.explanation import Explanation, PortExplanation
from homeport.model.owners import Container, Owner, Process
from homeport.model.page import Candidate, Page, Peer, Resident
from homeport.model.provenance import Provenance
from homeport.model.publishing import Published
from homeport.model.services import DatabaseFacts
from homeport.model.snapshot import Listener
from homeport.rules.absence import who
from homeport.rules.naming import label
from homeport.rules.neighbours import endpoint_text

_MAX_COMMAND_LINES = 4

_MEANINGS = {
    Scope.MACHINE: "loopback, this machine only",
    Scope.LINK: "link-local address",
    Scope.PRIVATE: "private address",
    Scope.PUBLIC: "public address",
    Scope.MULTICAST: "multicast group",
    Scope.EVERY: "unspecified address: every address of this machine",
}
_UNITS = ((120, 1, "second"), (7200, 60, "minute"), (172800, 3600, "hour"))
_DOUBT = {Confidence.CERTAIN: "", Confidence.LIKELY: "likely: ", Confidence.POSSIBLE: "possibly: "}


def lines(page: Page, paint: Paint, columns: int | None = None) -> list[str]:
    """The page, wrapped and shortened for a terminal of so many `columns`; with None all of it, a fact a line."""
    sheet = Sheet(paint, columns)
    _title(sheet, page)
    sheet.gap()
    if not page.endpoint.port:
        _list(sheet, page)
    else:
        if not page.residents:
            sheet.add("listens", "nothing", "yellow", "bold")
        for number, group in enumerate(_groups(page.residents)):
            if number:
                sheet.gap()
            _group(sheet, page, group)
        _nothing(sheet, page)
        _results(sheet, page)
    _around(sheet, page)
    sheet.gap()
    sheet.many("next", page.next, "bold")
    for limit in page.limits:
        sheet.add("note", limit, "dim")
    return sheet.lines


def _title(sheet: Sheet, page: Page) -> None:
    endpoint, explanation = page.endpoint, page.explanation
    if explanation.name is not None:
        head = explanation.name if not endpoint.port else f"{explanation.name}:{endpoint.port}"
    elif endpoint.port:
        head = endpoint_text(endpoint.address, endpoint.port)
    else:
        head = str(endpoint.address)
    if endpoint.protocol is not None:
        head += f"/{endpoint.protocol.value}"
    sheet.title(head, " · ".join(_meaning(page, explanation)))


def _meaning(page: Page, explanation: Explanation) -> Iterator[str]:
    if page.endpoint.address is not None or explanation.name is not None:
        if explanation.name is not None:
            yield f"{' and '.join(str(one.address) for one in explanation.addresses)} here"
        for meaning in dict.fromkeys(_MEANINGS[one.scope] for one in explanation.addresses):
            references = [ref for one in explanation.addresses for block in one.blocks[:1] for ref in block.references]
            yield meaning + (f" ({references[0]})" if references else "")
    if explanation.port is not None:
        yield from _port(explanation.port)


def _port(port: PortExplanation) -> Iterator[str]:
    names = list(dict.fromkeys(one.name for one in port.services))
    yield f"{port.range.value} port, {f'registered for {names[0]}' if names else 'not registered'}"
    if port.habits:
        yield f"known for {', '.join(dict.fromkeys(one.program for one in port.habits[:3]))}"
    if port.browser_refuses:
        yield "browsers refuse it"


def _groups(residents: Sequence[Resident]) -> list[list[Resident]]:
    """Residents of the same processes together: a server on both families, or on several sockets, is one thing."""
    groups: dict[object, list[Resident]] = {}
    for one in residents:
        pids = tuple(owner.process.pid for owner in one.listener.owners)
        groups.setdefault(pids or one.listener, []).append(one)
    return list(groups.values())


def _group(sheet: Sheet, page: Page, group: Sequence[Resident]) -> None:
    sheet.many("listens", _bindings(page, [one.listener for one in group]), "bold")
    first = group[0]
    if first.listener.owners:
        _owner(sheet, page.taken_at, first.listener.owners)
    elif first.listener.unattributed is not None:
        sheet.add("owner", f"not known: {first.listener.unattributed.detail}", "yellow")
    if first.lineage is not None:
        sheet.add("why it runs", _DOUBT[first.lineage.confidence] + first.lineage.summary)
        if first.lineage.broken:
            sheet.add("", first.lineage.broken, "dim")
    sheet.many("leads to", dict.fromkeys(_leads_to(each) for one in group for each in one.leads_to), "bold")
    reasons = {one.provenance.statement: one.provenance for one in group if one.provenance is not None}
    name = f"why {page.endpoint.port}"
    for reason in reasons.values():
        _provenance(sheet, name, reason)
        name = ""
    sheet.many("scope", dict.fromkeys(each.text for one in group for each in one.reach))
    sheet.many("published", dict.fromkeys(_published(each) for one in group for each in one.published))


def _results(sheet: Sheet, page: Page) -> None:
    """What speaks there, whether it answers, who can connect, and what was logged last."""
    services = dict.fromkeys(service_text(one.listener.service) for one in page.residents if one.listener.service)
    sheet.many("speaks", services)
    for one in page.residents:
        if one.database is not None:
            _database(sheet, one.database, None if one.listener.service is None else one.listener.service.version)
            break
    if page.diagnosis is not None:
        _diagnosis(sheet, page.diagnosis)
    if page.residents:
        sheet.many("who can", page.reach)
    if page.logs is not None and page.logs.lines:
        last = page.logs.lines[-1]
        when = "" if last.time is None else f"{last.time.astimezone():%Y-%m-%d %H:%M:%S} "
        sheet.add("last error", f"{when}{last.message} ({last.source})", "yellow", most=2)


def _database(sheet: Sheet, one: DatabaseFacts, said: str | None) -> None:
    facts = [
        one.url,
        f"version {one.version}" if one.version and one.version != said else "",
        f"login {one.authentication}" if one.authentication else "",
        f"TLS {one.tls}" if one.tls else "",
        "" if one.connections is None else f"{one.connections} connected now",
        f"data in {one.data_folder}" if one.data_folder else "",
    ]
    sheet.add("  database", " · ".join(fact for fact in facts if fact))


def _diagnosis(sheet: Sheet, one: Diagnosis) -> None:
    """Whether it answers; where not, why, and the first thing to do."""
    took = f" · checked in {one.seconds:.1f} s"
    if one.ok:
        sheet.add("answers", one.cause + took, "green")
        return
    doubt = "" if one.confidence is Confidence.CERTAIN else f" ({one.confidence.value})"
    sheet.add("checked", one.verdict.value + doubt, "red", "bold")
    sheet.add("", one.cause)
    for remedy in one.remedies[:2]:
        prompt = "$ " if remedy.kind is RemedyKind.COMMAND else ""
        sheet.add("", f"{prompt}{remedy.text}" + (f"   — {remedy.why}" if remedy.why else ""))


def _bindings(page: Page, listeners: Sequence[Listener]) -> Iterator[str]:
    """`tcp 127.0.0.1:80, this machine`, sockets bound alike counted."""
    counts: dict[str, int] = {}
    for one in listeners:
        counts[_binding(page, one)] = counts.get(_binding(page, one), 0) + 1
    for text, count in counts.items():
        yield text if count == 1 else f"{text} · {count} sockets share it"


def _binding(page: Page, one: Listener) -> str:
    socket = one.socket
    text = f"{socket.protocol.value} {endpoint_text(socket.address, socket.port)} · {SCOPES[one.scope]}"
    elsewhere = _elsewhere(page, one)
    if elsewhere:
        text += f" · {elsewhere}"
    if socket.receive_queue and socket.protocol.value == "tcp":
        text += f" · {socket.receive_queue} wait to be accepted (at most {socket.send_queue})"
    return text


def _owner(sheet: Sheet, now: datetime, owners: Sequence[Owner]) -> None:
    first = owners[0]
    process = first.process
    sheet.add("owner", f"{label(process)} · pid {process.pid}{_started(process, now)}", "green", "bold")
    if process.cmdline:
        sheet.add("  command", _command(process.cmdline), most=_MAX_COMMAND_LINES)
    if process.exe is not None:
        if process.exe_deleted:
            sheet.add("  program", f"{process.exe} (deleted or replaced since it started)", "yellow")
        else:
            sheet.add("  program", process.exe)
    if process.cwd is not None:
        sheet.add("  folder", process.cwd)
    if process.uid is not None:
        sheet.add("  user", f"{process.user} ({process.uid})" if process.user else f"uid {process.uid}")
    if first.project is not None:
        project = first.project
        parts = [project.name, f"branch {project.branch}" if project.branch else "", project.framework or ""]
        tree = "worktree" if project.worktree else ""
        where = project.root if project.root != process.cwd else ""
        sheet.add("  project", " · ".join(part for part in (*parts, tree, where) if part))
    if first.container is not None:
        sheet.add("  container", _container(first.container))
    if first.unit is not None:
        sheet.add("  unit", first.unit.name + (" (of the user)" if first.unit.scope == "user" else ""))
    if len(owners) > 1:
        sheet.many("  shared with", _others(owners[1:]))


def _others(owners: Sequence[Owner]) -> Iterator[str]:
    pids: dict[str, list[int]] = {}
    for one in owners:
        pids.setdefault(label(one.process), []).append(one.process.pid)
    for name, numbers in pids.items():
        yield f"{name} · pid{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _command(words: Sequence[str]) -> str:
    """The command line as one would type it: words with blanks in quotes."""
    return " ".join(_quoted(word) if not word or set(word) & set(" '\"\t\n") else word for word in words)


def _quoted(word: str) -> str:
    return "'{}'".format(word.replace("'", "'\\''"))


def _container(container: Container) -> str:
    name = container.name or container.id[:12]
    parts = [name, f"image {container.image}" if container.image else "", container.engine]
    return " · ".join(part for part in parts if part)


def _leads_to(one: Published) -> str:
    """`web · image nginx:1 · podman, its port 80, by conmon`."""
    name = _container(one.container) if one.container is not None else "an unknown container"
    port = "" if one.target_port is None else f", its port {one.target_port}"
    address = "" if one.target_address is None else f" at {one.target_address}"
    return f"{name}{port}{address}, by {one.via}{_conditions(one)}"


def _published(one: Published) -> str:
    """`127.0.0.1:8081 of this machine leads here, by conmon`."""
    if one.host_address is None:
        place = f"port {one.host_port} of every address"
    else:
        place = endpoint_text(one.host_address, one.host_port)
    return f"{place} of this machine leads here, by {one.via}{_conditions(one)}"


def _conditions(one: Published) -> str:
    return f" (only {', '.join(one.conditions)})" if one.conditions else ""


def _started(process: Process, now: datetime) -> str:
    if process.start_time is None:
        return ""
    return f" · started {ago((now - process.start_time).total_seconds())}"


def ago(seconds: float) -> str:
    """An age in words, in its largest unit: `3 minutes ago`."""
    number = max(0, int(seconds))
    size, unit = next(
        ((size, unit) for limit, size, unit in _UNITS if number < limit),
        (86400, "day"),
    )
    count = number // size
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


def _provenance(sheet: Sheet, name: str, reason: Provenance) -> None:
    sheet.add(name, _DOUBT[reason.confidence] + reason.statement)
    for one in reason.evidence[:3]:
        if one.text not in reason.statement:
            sheet.add("", _evidence(one), "dim")


def _evidence(one: Evidence) -> str:
    return f"{one.source}: {one.text}"


def _nothing(sheet: Sheet, page: Page) -> None:
    """Where nothing listens here: why, and who usually does."""
    sheet.many("not here" if page.residents else "why not", (one.statement for one in page.absences))
    sheet.many("usually", (one.text for one in page.usual))
    if page.project_listeners:
        cells = [_row(one) for one in page.project_listeners]
        sheet.many("same project", table(cells))


def _row(one: Listener) -> list[str]:
    return [f"{one.socket.protocol.value} {endpoint_text(one.socket.address, one.socket.port)}", who(one)]


def _around(sheet: Sheet, page: Page) -> None:
    """Neighbours, what a client reaches, and who is connected."""
    if page.near and page.residents:
        rows = [[*_row(one), _elsewhere(page, one)] for one in page.near]
        sheet.many("also there", table(rows))
    if page.candidates and (len(page.candidates) > 1 or page.near):
        _candidates(sheet, page)
    if page.peers:
        several = len({one.socket.address for one in page.peers}) > 1
        sheet.many("connected", table([_peer(one, several) for one in page.peers]))


def _elsewhere(page: Page, one: Listener) -> str:
    if page.netns is not None and one.socket.netns != page.netns:
        name = next((each.name for each in page.namespaces if each.inode == one.socket.netns), None)
        return f"in network namespace {name or one.socket.netns or '(hidden from this user)'}"
    return ""


def _candidates(sheet: Sheet, page: Page) -> None:
    """The addresses that a client tries, in its order; the first that answers is where it ends up."""
    name = page.explanation.name or ("localhost" if _is_localhost(page) else "a client")
    mixed = len({one.protocol for one in page.candidates}) > 1
    rows = []
    reached = set()
    for one in page.candidates:
        first = one.listener is not None and one.protocol not in reached
        if first:
            reached.add(one.protocol)
        address = f"{one.protocol.value} {one.address}" if mixed else str(one.address)
        why = "" if one.listener is None else one.evidence.text
        rows.append([address, _answer(one), "← reached first" if first else "", why])
    sheet.many(name if len(name) < LABEL else "a client", table(rows))


def _is_localhost(page: Page) -> bool:
    return all(one.address.is_loopback for one in page.candidates)


def _answer(one: Candidate) -> str:
    if one.listener is None:
        return "nobody: refused" if one.protocol.value == "tcp" else "nobody"
    return who(one.listener)


def _peer(one: Peer, several: bool) -> list[str]:
    """`several`: the connections are to different addresses of this port, so that each says to which."""
    socket = one.socket
    address = "" if socket.peer_address is None else endpoint_text(socket.peer_address, socket.peer_port or 0)
    if several:
        address += f" to {socket.address}"
    end = who(one.other_end) if one.other_end is not None else ""
    return [address, socket.state.value, end]


def _list(sheet: Sheet, page: Page) -> None:
    """The page about an address without a port: all that answers there."""
    if not page.residents:
        sheet.add("listens", "nothing", "yellow", "bold")
        sheet.many("why not", (one.statement for one in page.absences))
        return
    rows = [_row(one.listener) for one in page.residents]
    sheet.many("listens", table(rows))
