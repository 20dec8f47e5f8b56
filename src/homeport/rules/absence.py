"""Why nothing listens at an address: each thing that the kernel knows about its port, as one statement.

Every fact is a function of the one `Facts`, in the tuple `_RULES` at the end; adding one is a function and a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.explanation import PortExplanation
from homeport.model.page import Absence
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules.naming import label
from homeport.rules.neighbours import destination, endpoint_text

TIME_WAIT_SECONDS = 60
"""How long Linux keeps TIME_WAIT (TCP_TIMEWAIT_LEN, include/net/tcp.h)."""

_SHOWN = 4
_REMAINS = (State.FIN_WAIT1, State.FIN_WAIT2, State.CLOSE_WAIT, State.LAST_ACK, State.CLOSING, State.TIME_WAIT)
_OPEN = (State.ESTABLISHED, State.SYN_SENT, State.SYN_RECV, State.NEW_SYN_RECV)
_SYSCTL = "/proc/sys/net/ipv4/"


class Facts(NamedTuple):
    """What was found about the asked port, where nothing listens at the asked addresses.

    `addresses`: what the asked text stands for, empty where only a port was asked. `sockets`: every socket with that
    local port, in every namespace that can be seen. `netns`: the caller's; `namespaces` names the others.
    """

    protocol: Protocol | None
    addresses: tuple[IPAddress, ...]
    port: int
    sockets: tuple[Listener, ...]
    netns: int | None
    namespaces: Mapping[int, str | None]
    explanation: PortExplanation | None


def absences(facts: Facts) -> tuple[Absence, ...]:
    """What is known, most telling first; if the kernel has nothing at all under that port, that is said."""
    found = tuple(one for rule in _RULES for one in rule(facts))
    if any(one.reason not in ("reserved", "privileged") for one in found):
        return found
    nothing = Absence(
        reason="no-socket",
        statement=f"no socket of this machine that can be seen has port {facts.port}",
        evidence=Evidence("kernel sockets", "none with that local port, in any state"),
    )
    return (nothing, *found)


def who(listener: Listener) -> str:
    """A socket's holder in a few words: `node server.js (pid 4711)`, or why nobody can be named."""
    if not listener.owners:
        return listener.unattributed.detail if listener.unattributed is not None else "nobody known"
    owner = listener.owners[0]
    text = f"{label(owner.process)} (pid {owner.process.pid})"
    if owner.container is not None:
        text += f" in container {owner.container.name or owner.container.id[:12]}"
    return text


def listening_elsewhere(facts: Facts) -> Iterator[Absence]:
    """Another address or family of this namespace has the port, with the asked protocol."""
    here = [one for one in _own(facts) if one.socket.is_listener and _protocol_fits(facts, one.socket)]
    versions = {destination(address).version for address in facts.addresses}
    for one in here[:_SHOWN]:
        at = endpoint_text(one.socket.address, facts.port)
        only = f"listening on {at} only"
        if facts.addresses:
            only += f", not on {' or '.join(str(address) for address in facts.addresses)}"
        family = not versions & {one.socket.address.version}
        yield Absence(
            reason="other-family" if family else "other-address",
            statement=f"{only}: {who(one)}",
            evidence=_kernel(one.socket),
        )
    yield from _more("other-address", len(here), "listeners on other addresses")


def other_protocol(facts: Facts) -> Iterator[Absence]:
    """Only the other transport protocol has the port."""
    if facts.protocol is None:
        return
    found = [one for one in _own(facts) if one.socket.is_listener and one.socket.protocol is not facts.protocol]
    for one in found[:_SHOWN]:
        at = endpoint_text(one.socket.address, facts.port)
        yield Absence(
            reason="other-protocol",
            statement=f"{one.socket.protocol.value} only, not {facts.protocol.value}: {who(one)} has {at}",
            evidence=_kernel(one.socket),
        )
    yield from _more("other-protocol", len(found), "sockets of the other protocol")


def other_namespace(facts: Facts) -> Iterator[Absence]:
    """It listens, but in a network namespace that has addresses and ports of its own."""
    found = [one for one in facts.sockets if one.socket.is_listener and not _is_own(facts, one)]
    found = [one for one in found if _protocol_fits(facts, one.socket)]
    for one in found[:_SHOWN]:
        number = one.socket.netns
        name = facts.namespaces.get(number) if number is not None else None
        where = f"network namespace {name or number}"
        at = endpoint_text(one.socket.address, facts.port)
        yield Absence(
            reason="other-namespace",
            statement=f"listening in another {where} only, as {at}: {who(one)}",
            evidence=_kernel(one.socket),
        )
    yield from _more("other-namespace", len(found), "listeners in other namespaces")


def bound_only(facts: Facts) -> Iterator[Absence]:
    """bind(2) was called, listen(2) was not."""
    for one in _own(facts):
        socket = one.socket
        inactive = socket.state is State.BOUND_INACTIVE or (
            socket.state is State.CLOSE and socket.protocol is Protocol.TCP and socket.peer_port is None
        )
        if inactive and _protocol_fits(facts, socket):
            yield Absence(
                reason="bound-not-listening",
                statement=f"{who(one)} has bound {endpoint_text(socket.address, facts.port)}, but does not listen",
                evidence=_kernel(socket),
            )


def remains(facts: Facts) -> Iterator[Absence]:
    """What closed connections leave behind."""
    left = [one for one in _own(facts) if one.socket.state in _REMAINS and _protocol_fits(facts, one.socket)]
    counts = Counter(one.socket.state for one in left)
    waiting = counts.pop(State.TIME_WAIT, 0)
    if waiting:
        yield Absence(
            reason="time-wait",
            statement=(
                f"{_number(waiting, 'closed connection')} in TIME_WAIT, for up to {TIME_WAIT_SECONDS} s: "
                "until then only a program that sets SO_REUSEADDR can take the port"
            ),
            evidence=Evidence("kernel sockets", f"{waiting} x time-wait"),
        )
    if counts:
        states = ", ".join(f"{count} {state.value}" for state, count in sorted(counts.items()))
        holders = dict.fromkeys(who(one) for one in left if one.owners)
        held = f", held by {', '.join(list(holders)[:_SHOWN])}" if holders else ""
        yield Absence(
            reason="closing",
            statement=f"{_number(sum(counts.values()), 'connection')} of it not closed to the end ({states}){held}",
            evidence=Evidence("kernel sockets", states),
        )


def in_use(facts: Facts) -> Iterator[Absence]:
    """The port is the local end of open connections: the kernel's choice for an outgoing one, or left by a server."""
    found = [one for one in _own(facts) if one.socket.state in _OPEN and one.socket.peer_address is not None]
    found = [one for one in found if _protocol_fits(facts, one.socket)]
    ephemeral = facts.explanation.ephemeral if facts.explanation is not None else None
    for one in found[:_SHOWN]:
        socket = one.socket
        at = (
            f"{endpoint_text(socket.address, facts.port)} → {endpoint_text(socket.peer_address, socket.peer_port or 0)}"
        )
        statement = f"local port of an open connection: {who(one)}, {at}"
        if ephemeral is not None and ephemeral[0] <= facts.port <= ephemeral[1]:
            statement += f"; likely an outgoing one: the kernel takes such ports from {ephemeral[0]}-{ephemeral[1]}"
        yield Absence(reason="local-port", statement=statement, evidence=_kernel(socket))
    yield from _more("local-port", len(found), "open connections")


def reserved(facts: Facts) -> Iterator[Absence]:
    """ip_local_reserved_ports, documentation/networking/ip-sysctl of the kernel."""
    if facts.explanation is not None and facts.explanation.reserved:
        yield Absence(
            reason="reserved",
            statement="reserved here: the kernel gives it only to a program that asks for it by number",
            evidence=Evidence(f"{_SYSCTL}ip_local_reserved_ports", str(facts.port)),
        )


def privileged(facts: Facts) -> Iterator[Absence]:
    """ip_unprivileged_port_start, likewise."""
    if facts.explanation is not None and facts.explanation.privileged:
        start = facts.explanation.unprivileged_start
        yield Absence(
            reason="privileged",
            statement=f"below {start}: only root, or a program with CAP_NET_BIND_SERVICE, may listen here",
            evidence=Evidence(f"{_SYSCTL}ip_unprivileged_port_start", str(start)),
        )


def _own(facts: Facts) -> Iterator[Listener]:
    return (one for one in facts.sockets if _is_own(facts, one))


def _is_own(facts: Facts, one: Listener) -> bool:
    return facts.netns is None or one.socket.netns == facts.netns  # None: of one that the caller may not read


def _protocol_fits(facts: Facts, socket: Socket) -> bool:
    return facts.protocol is None or socket.protocol is facts.protocol


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _more(reason: str, count: int, what: str) -> Iterable[Absence]:
    if count <= _SHOWN:
        return ()
    evidence = Evidence("kernel sockets", f"{count} in all")
    return (Absence(reason=reason, statement=f"and {count - _SHOWN} more {what}", evidence=evidence),)


def _kernel(socket: Socket) -> Evidence:
    inode = "" if socket.inode is None else f", inode {socket.inode}"
    at = endpoint_text(socket.address, socket.port)
    return Evidence("kernel socket", f"{socket.protocol.value} {at} {socket.state.value}{inode}")


_RULES: Sequence[Callable[[Facts], Iterable[Absence]]] = (
    listening_elsewhere,
    other_protocol,
    other_namespace,
    bound_only,
    remains,
    in_use,
    reserved,
    privileged,
)
