"""Verdicts about what listens: nothing, something else, or somewhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homeport.model.addresses import IPAddress
from homeport.model.case import Case, Claim
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence, Evidence
from homeport.model.snapshot import Listener
from homeport.model.sockets import State
from homeport.rules.masking import mask
from homeport.rules.naming import label
from homeport.rules.neighbours import destination, endpoint_text
from homeport.rules.publishing import FORWARDING
from homeport.rules.verdicts.kind import Finding, advice, at, command, edit, is_own, owner, place, socket_evidence, word

_NOBODY = frozenset((Failing.REFUSED, Failing.UNREACHABLE, Failing.RESET))
YOUNG = 20.0
"""Seconds after its start during which a server may not yet listen or answer."""
RESTARTS = 2
"""So many ends within one check, or one of a process that is younger than the check, are a loop."""

_MOST_OF_A_COMMAND = 400
"""Characters of a command that can still be copied from a page."""


def crash_loop(case: Case) -> Finding | None:
    """A process that was told to use the port ends, and something starts it again."""
    broke_off = case.connected is not None and (case.closed_early or case.greeting is None)
    if _listens(case) and not broke_off:
        return None
    loops = [one for one in case.claims if one.restarts]
    if not loops:
        return None
    worst = max(loops, key=lambda one: one.restarts)
    count = f"{worst.restarts} time{'s' if worst.restarts > 1 else ''}"
    cause = f"{label(worst.process)} ended and was started again {count} during this check, "
    cause += "before it could listen" if case.connected is None else "soon after it began to listen"
    remedies = [command(f"homeport logs {case.port}", "what it said before it ended")]
    remedies += _by_hand(worst)
    evidence = (worst.evidence, *case.said)
    return Finding(Verdict.CRASH_LOOP, Fault.SERVER, cause, evidence, tuple(remedies), Confidence.LIKELY)


def unix_only(case: Case) -> Finding | None:
    """The server of the port listens, on a Unix socket alone, whose name has the port."""
    if _listens(case) or _own(case) or not case.unix_sockets:
        return None
    path = case.unix_sockets[0]
    cause = (
        f"nothing listens on {case.protocol.value} port {case.port}; a server listens on the Unix socket {path} alone"
    )
    folder, _, name = path.rpartition("/")
    remedies = [edit("in how the server is started: an address for TCP, as 127.0.0.1", "it listens on none now")]
    if name.startswith(".s.PGSQL."):
        remedies = [
            edit("in postgresql.conf: listen_addresses = 'localhost', then restart it", "it is empty now"),
            command(f"psql -h {word(folder)} -p {case.port}", "reaches it by that socket"),
        ]
    evidence = (Evidence("/proc/net/unix", f"{path} listens"),)
    return Finding(Verdict.NOTHING_LISTENS, Fault.SERVER, cause, evidence, tuple(remedies), Confidence.LIKELY)


def starting(case: Case) -> Finding | None:
    """A process that was told to use the port has just been started, and does not listen yet."""
    if _listens(case) or any(not one.owners for one in _foreign(case)):  # which may be theirs
        return None
    young = [one for one in case.claims if one.age is not None and one.age < YOUNG and not one.listening]
    if not young:
        return None
    one = min(young, key=lambda each: each.age or 0)
    cause = f"{label(one.process)} (pid {one.process.pid}) was started {one.age:.1f} s ago and does not listen yet"
    return Finding(
        Verdict.STARTING, Fault.SERVER, cause, (one.evidence,),
        (command(f"homeport check {word(case.asked)} --watch", "says when it answers"),
         command(f"homeport logs {case.port}", "what it says meanwhile")), Confidence.LIKELY,
    )  # fmt: skip


def other_family(case: Case) -> Finding | None:
    """It listens on loopback or everywhere of the other family."""
    if _listens(case):
        return None
    asked = _asked(case)
    versions = {one.version for one in asked}
    for one in _own(case):
        bound = one.socket.address
        if bound.version in versions or not (bound.is_loopback or bound.is_unspecified):
            continue
        if not any(each.is_loopback for each in asked) and bound.is_loopback:
            continue
        there = destination(bound)
        family = f"IPv{bound.version}"
        cause = f"{owner(one)} listens on {place(one)}, that is {family} only, and {_texts(asked)} was asked"
        also = "0.0.0.0" if bound.version == 6 else "::"  # noqa: S104
        if bound.is_loopback:
            also = "127.0.0.1" if bound.version == 6 else "::1"
        return Finding(
            Verdict.OTHER_FAMILY, Fault.CLIENT, cause, (socket_evidence(one),),
            (command(f"homeport check {_same(case, there)}", "the same over the family that it listens on"),
             edit(f"in how {_short(one)} is started: listen on {also} too", "clients of both families then reach it")),
        )  # fmt: skip
    return None


def other_address(case: Case) -> Finding | None:
    """It listens, but not on an address that was asked for."""
    if _listens(case):
        return None
    some = _own(case)
    if not some:
        return None
    one = some[0]
    asked = _asked(case)
    there = destination(one.socket.address)
    cause = f"{owner(one)} listens on {place(one)} only, not on {_texts(asked)}"
    if one.socket.interface is not None and one.socket.address.is_unspecified:
        device = one.socket.device or f"interface {one.socket.interface}"
        cause = f"{owner(one)} is bound to {device} (SO_BINDTODEVICE): {_texts(asked)} does not lead there"
        return Finding(
            Verdict.OTHER_ADDRESS, Fault.CLIENT, cause, (socket_evidence(one),),
            (command(f"homeport reach :{case.port}", "at which addresses it can be reached, and from where"),
             edit(f"in how {_short(one)} is started: not bound to {device}", "it then answers at every address")),
        )  # fmt: skip
    return Finding(
        Verdict.OTHER_ADDRESS, Fault.CLIENT, cause, (socket_evidence(one),),
        (command(f"homeport check {_same(case, there)}", "the address that it listens on"),
         edit(f"in how {_short(one)} is started: listen on {asked[0] if asked else there}", "it then answers there")),
    )  # fmt: skip


def other_protocol(case: Case) -> Finding | None:
    """The port is used, by the other transport protocol only."""
    if _listens(case):
        return None
    some = [one for one in _bound(case) if is_own(case, one) and one.socket.protocol is not case.protocol]
    if not some:
        return None
    one = some[0]
    name = one.socket.protocol.value
    cause = f"{owner(one)} has {place(one)} over {name} only, and {case.protocol.value} was asked"
    remedy = command(f"homeport check :{case.port}/{name}", "the protocol that it speaks")
    return Finding(Verdict.OTHER_PROTOCOL, Fault.CLIENT, cause, (socket_evidence(one),), (remedy,))


def behind_nothing(case: Case) -> Finding | None:
    """The port is published, and in the container nothing listens where it leads, or only on the loopback inside."""
    led = next((one for one in case.published if one.host_port == case.port and one.container is not None), None)
    refused = [one for one in case.attempts if one.failure is not None and one.failure.failing in _NOBODY]
    if case.connected is not None or not refused or led is None or led.container is None:
        return None
    name, inside = led.container.name or led.container.id[:12], led.target_port or case.port
    logs = command(
        f"{led.container.engine} logs {word(name)}", "what it says: it may not have started, or have another port"
    )
    if not case.behind:
        cause = f"port {case.port} leads to port {inside} of container {name}, where nothing listens"
        edits = edit(f"in how container {name} is made: the port that its server really has", f"it is not {inside}")
        return Finding(Verdict.NOTHING_LISTENS, Fault.SERVER, cause, led.evidence, (logs, edits))
    one = case.behind[0]
    if not all(each.socket.address.is_loopback for each in case.behind):
        return None
    cause = f"{owner(one)} listens on {place(one)} inside only, and port {case.port} leads to another address of it"
    return Finding(
        Verdict.OTHER_ADDRESS, Fault.SERVER, cause, (socket_evidence(one), *led.evidence),
        (edit(f"inside of {name}: listen on 0.0.0.0", "its loopback is nobody else's"),
         command(f"homeport check 127.0.0.1:{inside} --from {word(name)}", "whether it answers inside")),
    )  # fmt: skip


def not_published(case: Case) -> Finding | None:
    """It listens in a container, and no port of the machine leads there."""
    if _listens(case):
        return None
    contained = [
        (one, one.owners[0].container)
        for one in _foreign(case)
        if one.owners and one.owners[0].container is not None and one.owners[0].process.name not in FORWARDING
    ]
    for one, container in contained:
        for each in case.published if not one.socket.address.is_loopback else ():
            if each.container is None or each.container.id != container.id or each.target_port != case.port:
                continue
            there = endpoint_text(each.host_address, each.host_port) if each.host_address else f":{each.host_port}"
            cause = f"{owner(one)} listens on {case.port} inside; on this machine that is port {each.host_port}"
            return Finding(
                Verdict.OTHER_PORT, Fault.CLIENT, cause, (socket_evidence(one), *each.evidence),
                (command(f"homeport check {_moved(case, there)}", "the published port"),),
            )  # fmt: skip
    for one, container in contained:
        name = container.name or container.id[:12]
        cause = f"{owner(one)} listens on {place(one)} inside, and no port of this machine leads there"
        if one.socket.address.is_loopback:
            cause = f"{owner(one)} listens on {place(one)} inside only: no port of this machine can lead there"
        remedies: list[Remedy] = [
            edit(
                f"in how container {name} is made: -p 127.0.0.1:{case.port}:{case.port}",
                f"a port of a container is published when it is made: {container.engine} run -p, or ports: of compose",
            ),
            command(f"homeport check {word(case.asked)} --from {word(name)}", "whether it answers inside"),
        ]
        if one.socket.address.is_loopback:
            remedies.insert(0, edit(f"inside of {name}: listen on 0.0.0.0", "its loopback is nobody else's"))
        evidence = (socket_evidence(one),)
        return Finding(
            Verdict.NOT_PUBLISHED, Fault.MACHINE, cause, evidence, tuple(remedies), Confidence.LIKELY
        )  # fmt: skip
    return None


def other_namespace(case: Case) -> Finding | None:
    """It listens in another network namespace, whose addresses and ports are its own."""
    if _listens(case):
        return None
    for one in _foreign(case):
        number = one.socket.netns
        name = case.namespaces.get(number) if number is not None else None
        target = name or (str(one.owners[0].process.pid) if one.owners else number)
        which = name or (number if number is not None else "which this user may not look into")
        cause = f"{owner(one)} listens on {place(one)} in another network namespace ({which})"
        if target is None:
            remedies = [command(f"sudo homeport check {word(case.asked)}", "sees which one it is, and whose")]
        else:
            enter = f"ip netns exec {word(name)}" if name else f"nsenter --net=/proc/{target}/ns/net"
            remedies = [
                command(f"homeport check {word(case.asked)} --from {word(str(target))}", "whether it answers there"),
                command(f"{enter} COMMAND", "runs a client there (root)"),
            ]
        evidence = (socket_evidence(one),)
        return Finding(Verdict.OTHER_NAMESPACE, Fault.CLIENT, cause, evidence, tuple(remedies), Confidence.LIKELY)
    return None


def other_port(case: Case) -> Finding | None:
    """What was meant listens on another port: it was told this one, or it is the server of the caller's project."""
    if _listens(case):
        return None
    for claim in case.claims:
        elsewhere = [one for one in claim.listening if one.socket.port != case.port]
        if elsewhere:
            one = elsewhere[0]
            cause = f"{owner(one)} was told to use port {case.port}, but listens on {place(one)}"
            return Finding(
                Verdict.OTHER_PORT, Fault.SERVER, cause, (claim.evidence, socket_evidence(one)),
                (command(f"homeport check {_elsewhere(case, one)}", "the port that it has"),
                 command(f"homeport {one.socket.port}", "why it has that one")), Confidence.LIKELY,
            )  # fmt: skip
    if not case.relatives:
        return None
    one = case.relatives[0]
    project = next((each.project.name for each in one.owners if each.project is not None), "the project")
    cause = f"nothing listens on {case.port}; {owner(one)} of the project {project} listens on {place(one)}"
    return Finding(
        Verdict.OTHER_PORT, Fault.CLIENT, cause, (socket_evidence(one),),
        (command(f"homeport check {_elsewhere(case, one)}", "the server of the project that you are in"),),
        Confidence.LIKELY,
    )  # fmt: skip


def nothing_listens(case: Case) -> Finding | None:
    """No socket has the port."""
    if _listens(case):
        return None
    remedies = [command(f"homeport {word(case.asked)}", "who usually lives there, and what else the kernel knows")]
    evidence = [Evidence("kernel sockets", f"none listens on {case.protocol.value} port {case.port} here")]
    idle = [one for one in case.listening if is_own(case, one) and one.socket.state is State.BOUND_INACTIVE]
    evidence += [Evidence("kernel socket", f"{owner(one)} has bound {place(one)}, and does not listen") for one in idle]
    for claim in case.claims:
        evidence.append(claim.evidence)
        remedies.insert(
            0, command(f"homeport logs {case.port}", f"{label(claim.process)} was told the port, but has none")
        )
        break
    else:
        remedies.insert(0, advice("start the server", _usual(case)))
    for one in case.near:
        there = command(f"homeport check {_elsewhere(case, one)}", f"{owner(one)} listens on {one.socket.port}")
        remedies.insert(len(remedies) - 1, there)
    cause = (
        f"nothing listens on {case.protocol.value} port {case.port} of {at(case).rpartition(':')[0] or 'this machine'}"
    )
    return Finding(Verdict.NOTHING_LISTENS, Fault.SERVER, cause, tuple(evidence), tuple(remedies))


def shadowed(case: Case) -> Finding | None:
    """Another program answers first: who was meant has the port too, but the kernel, or the name, prefers the other."""
    first = next((one for one in case.candidates if one.listener is not None), None)
    if first is None or first.listener is None or case.connected is None or _is_callers(case, first.listener):
        return None
    for other, how in _rivals(case):
        if _akin(first.listener, other):
            continue
        mine = _is_callers(case, other)
        there = destination(other.socket.address)
        away = there == destination(first.listener.socket.address) or other.socket.address.is_unspecified
        stop = advice(f"give one of them another port, or stop {owner(first.listener)}", "both want the same port")
        use = command(f"homeport check {_same(case, there)}", f"reaches {_short(other)}")
        cause = f"{owner(first.listener)} answers first, though {owner(other)} has port {case.port} too ({how})"
        return Finding(
            Verdict.SHADOWED, Fault.MACHINE, cause, (socket_evidence(first.listener), socket_evidence(other)),
            (stop,) if away else (use, stop), Confidence.CERTAIN if mine else Confidence.LIKELY,
        )  # fmt: skip
    return None


def _rivals(case: Case) -> Iterator[tuple[Listener, str]]:
    for one in case.candidates:
        for each in one.beaten:
            yield each, f"{place(each)} is less specific than {place(one.listener) if one.listener else one.address}"
        for each in one.sharing[1:]:
            yield each, "they share it with SO_REUSEPORT: clients get one or the other"
    answering = [one.listener for one in case.candidates if one.listener is not None]
    for each in answering[1:]:
        yield each, f"clients of {case.name or 'localhost'} try it later"


def _akin(one: Listener, other: Listener) -> bool:
    """Whether two listeners are of the same program: the same process, parent, container, unit or executable."""
    if one is other or not one.owners or not other.owners:
        return True
    first, second = one.owners[0], other.owners[0]
    if {each.process.pid for each in one.owners} & {each.process.pid for each in other.owners}:
        return True
    if first.process.pid == second.process.ppid or second.process.pid == first.process.ppid:
        return True
    if first.container is not None or second.container is not None:
        return (
            first.container is not None and second.container is not None and first.container.id == second.container.id
        )
    same = first.process.exe == second.process.exe and first.process.cmdline == second.process.cmdline
    return same and first.process.cwd == second.process.cwd


def _is_callers(case: Case, one: Listener) -> bool:
    root = case.callers_project
    return root is not None and any(each.project is not None and each.project.root == root for each in one.owners)


def _listens(case: Case) -> bool:
    return case.connected is not None or any(one.listener is not None for one in case.candidates)


def _own(case: Case) -> list[Listener]:
    return [one for one in _bound(case) if is_own(case, one) and one.socket.protocol is case.protocol]


def _foreign(case: Case) -> list[Listener]:
    """Those of other namespaces, which may have been meant: not where the asked address is that of one alone."""
    if case.there is not None:
        return []
    return [one for one in _bound(case) if not is_own(case, one) and one.socket.protocol is case.protocol]


def _bound(case: Case) -> list[Listener]:
    """Everything with that port that takes connections or datagrams; not what is only bound."""
    return [one for one in case.listening if one.socket.is_listener]


def _asked(case: Case) -> list[IPAddress]:
    return [destination(one.address) for one in case.candidates]


def _texts(addresses: list[IPAddress]) -> str:
    return " and ".join(str(one) for one in addresses) or "this machine"


def _short(one: Listener) -> str:
    return label(one.owners[0].process) if one.owners else "the server"


def _same(case: Case, address: IPAddress) -> str:
    """The asked address or URL with another host."""
    return _moved(case, endpoint_text(address, case.port))


def _elsewhere(case: Case, one: Listener) -> str:
    return _moved(case, endpoint_text(destination(one.socket.address), one.socket.port))


def _moved(case: Case, there: str) -> str:
    """The asked address or URL at another address and port."""
    if case.scheme is None:
        return word(there)
    return word(
        f"{case.scheme}://{there if not there.startswith(':') else f'localhost{there}'}{case.path.partition('?')[0]}"
    )


def _by_hand(claim: Claim) -> list[Remedy]:
    words = claim.process.cmdline or ()
    line = " ".join(word(one) for one in _masked(words))
    if not words or len(line) > _MOST_OF_A_COMMAND:
        return []
    folder = f"cd {word(claim.process.cwd)} && " if claim.process.cwd else ""
    return [command(f"{folder}{line}", "the same by hand: it then says why it ends")]


def _masked(words: Sequence[str]) -> Iterator[str]:
    """The words without what looks secret: masked before they are quoted, since a mask ends where a quotation does."""
    before = ""
    for one in words:
        hidden = mask(one)
        # the value of an option that names a secret: all of it, whatever is in it
        yield "…" if mask(f"{before} {one}") != f"{mask(before)} {hidden}" else hidden
        before = one


def _usual(case: Case) -> str:
    return case.usual[0].text if case.usual else "nothing is known of who used to live there"
