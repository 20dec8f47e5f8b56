"""What speaks at listeners of this machine: `homeport ls --services`, and what `check` and the page ask for."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.dialling import Target
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Process, Reason
from homeport.model.services import Service
from homeport.model.snapshot import Listener, Netns, Snapshot
from homeport.operations.databases import databases as databases
from homeport.rules.commands import read
from homeport.rules.neighbours import answerers, destination
from homeport.services import engine, forwarders
from homeport.services.kind import Conversation
from homeport.services.speakers import SPEAKERS
from homeport.system import fingerprinting, namespaces, service_cache
from homeport.system.fingerprinting import Suspect
from homeport.system.mentions import Bystanders
from homeport.system.reading import environment

SECONDS = 10.0
"""For all listeners together."""
EACH = 2.5
"""For one that is asked alone."""
_ASIDE = (IPv4Address("127.0.0.1"), IPv4Address("127.91.62.93"))
"""Addresses of loopback: the second is nobody's, so that it reaches who listens on 0.0.0.0 where somebody else has
the first (RFC 1122 §3.2.1.3: the whole of 127.0.0.0/8 is this host)."""


def recognise(
    listeners: Sequence[Listener],
    *,
    seconds: float = SECONDS,
    cached: bool = True,
    limits: dict[str, None] | None = None,
    among: Sequence[Listener] | None = None,
) -> dict[Listener, Service | None]:
    """What speaks at each; None: nothing that was recognised. Sockets with a peer are left out.

    `cached`: what an earlier look found counts too. Into `limits` goes a line for what could not be asked, and why.
    `among`: all listeners there are, where these are only some: one of them may take another's connections.
    """
    listeners = [one for one in listeners if one.socket.is_listener]
    notes: dict[str, None] = {} if limits is None else limits
    answers: dict[Listener, Service | None] = dict.fromkeys(listeners)
    remembered = service_cache.load() if cached else {}
    planned = _Plan(listeners if among is None else among, notes)
    for one in listeners:
        identity = service_cache.identity(one)
        if identity is not None and identity in remembered:
            answers[one] = remembered[identity]
        else:
            planned.add(one, answers)
    fresh = _asked(planned, answers, seconds, notes)
    service_cache.store({one: answers[one] for one in fresh})
    return answers


def recognise_one(
    listener: Listener, *, seconds: float = EACH, cached: bool = True, limits: dict[str, None] | None = None
) -> Service | None:
    """The same for one alone, with more patience."""
    return recognise((listener,), seconds=seconds, cached=cached, limits=limits).get(listener)


def recognised(snapshot: Snapshot, among: Sequence[Listener] | None = None) -> Snapshot:
    """The snapshot with the service of each listener, and what kept from asking among its limits."""
    limits: dict[str, None] = dict.fromkeys(snapshot.limits)
    found = recognise(snapshot.listeners, limits=limits, among=among)
    listeners = tuple(one._replace(service=found.get(one)) for one in snapshot.listeners)
    return snapshot._replace(listeners=listeners, limits=tuple(limits))


def fragile(one: Listener) -> Service | None:
    """What a listener is that is not even to be connected to, since that would do harm; None: it may be."""
    return _fragile(one, _others(one, Bystanders()))


def _fragile(one: Listener, others: tuple[Process, ...]) -> Service | None:
    match = engine.known(engine.clues(one, _java_options(one), others), one.socket.protocol)
    if match is None:
        return None
    source = read(one.owners[0].process).evidence.source if one.owners else f"/proc/{others[0].pid}/cmdline"
    evidence = (Evidence(source, match.evidence),)
    return Service(match.protocol, match.product, match.version, False, Confidence.LIKELY, evidence, match.facts)


def readiness(service: Service) -> Callable[[Conversation], tuple[str, str] | None] | None:
    """How a service is asked whether it serves; None: it says so unasked, or cannot be asked."""
    return next((one.ready for one in SPEAKERS if one.name == service.protocol), None)


def unasked(one: Listener) -> str | None:
    """Why a listener is not to be asked: its bytes leave this machine, or it serves one client; None: it may be."""
    return _unasked(one, _others(one, Bystanders()))


def _unasked(one: Listener, others: tuple[Process, ...]) -> str | None:
    for owner in one.owners:
        if reason := forwarders.reason(owner.process):
            return reason
    for other in others:
        if reason := forwarders.reason(other):
            return f"it may be that of pid {other.pid}, and {reason}"
    return None


def untouchable(one: Listener) -> str | None:
    """Why a listener is not even to be connected to: it is not to be asked, or a connection would harm it."""
    others = _others(one, Bystanders())
    known = _fragile(one, others)
    return _unasked(one, others) or (
        None if known is None else f"{known.product or known.protocol}: a connection would harm it"
    )


def no_destination(one: Listener) -> str | None:
    """Why a redirection to a listener is not followed: it is not to be connected to, or it may print what comes."""
    printer = "it may be a printer, which would print what is sent"
    return untouchable(one) or (printer if engine.spared(engine.clues(one, _java_options(one))) else None)


def leads_away(one: Listener) -> bool:
    """Whether what is sent to a listener leaves this machine, though its address is here."""
    holders = (*(owner.process for owner in one.owners), *_others(one, Bystanders()))
    return any(forwarders.leaves(process) for process in holders)


def _others(one: Listener, bystanders: Bystanders) -> tuple[Process, ...]:
    """Whose a listener may be, where nobody can be named: who names its port, of the user that made the socket."""
    if one.owners or one.unattributed is None or one.unattributed.reason is Reason.KERNEL:
        return ()
    return bystanders.naming(one.socket.port, one.socket.uid)


class _Plan:
    """Whom to ask, those who share an endpoint once."""

    def __init__(self, among: Sequence[Listener], notes: dict[str, None]) -> None:
        self.suspects: dict[Suspect, list[Listener]] = {}
        self._notes = notes
        self._own = namespaces.own()
        self._bystanders = Bystanders()
        self._by_port: dict[tuple[Protocol, int, int | None], list[Listener]] = defaultdict(list)
        for one in among:
            if one.socket.is_listener:
                self._by_port[_place(one)].append(one)

    def add(self, one: Listener, answers: dict[Listener, Service | None]) -> None:
        """Plan to ask one, unless it is known without, or better left alone."""
        socket = one.socket
        command = read(one.owners[0].process) if one.owners else None
        others = _others(one, self._bystanders)
        found = engine.clues(one, _java_options(one), others)
        if known := _fragile(one, others):
            answers[one] = known
            return
        where = f"{socket.protocol.value} port {socket.port}"
        if engine.spared(found):
            self._notes[f"{where} was not asked what speaks there: it may be a printer's, which would print it"] = None
            return
        if reason := _unasked(one, others) or self._perhaps_away(one, others):
            self._notes[f"{where} was not asked what speaks there: {reason}"] = None
            return
        if socket.netns is None and self._own is not None:  # else it would be asked at the caller's own addresses
            self._notes[f"{where} was not asked what speaks there: its network namespace may not be entered"] = None
            return
        targets = self._targets(one)
        if not targets:
            self._notes[f"{where} was not asked what speaks there: no address of this machine reaches it alone"] = None
            return
        self.suspects.setdefault(Suspect(targets, found, command), []).append(one)

    def _perhaps_away(self, one: Listener, others: tuple[Process, ...]) -> str | None:
        """Why another user's listener may be a tunnel: that user has one, and nobody's command line names the port.

        Of root's sockets that is not said: half of the machine would be left unasked, for one session of sshd.
        """
        hidden = one.unattributed is not None and one.unattributed.reason is Reason.OTHER_USER
        if not hidden or others or not one.socket.address.is_loopback or not one.socket.uid:
            return None
        for other in self._bystanders.of(one.socket.uid):
            if forwarders.leaves(other):
                name = read(other).program
                return f"it may be that of pid {other.pid} ({name}) of the same user, which would carry it elsewhere"
        return None

    def _targets(self, one: Listener) -> tuple[Target, ...]:
        socket = one.socket
        netns = self._netns(one)
        rivals = self._by_port.get(_place(one)) or [one]
        found = []
        for address in _addresses(socket.address, v6only=socket.v6only is not False):
            reached = answerers(address, socket.port, rivals, socket.netns, socket.protocol)
            if socket.address.is_multicast or not reached or any(_same(each, one) for each in reached):
                found.append(Target(address, socket.port, socket.protocol, netns))
        return () if socket.address.is_multicast else tuple(found)

    def _netns(self, one: Listener) -> Netns | None:
        inode = one.socket.netns
        if inode is None or inode == self._own:
            return None
        return Netns(inode, None, one.owners[0].process.pid if one.owners else None, False)


def _asked(
    planned: _Plan, answers: dict[Listener, Service | None], seconds: float, notes: dict[str, None]
) -> list[Listener]:
    """Ask whom it was planned to ask; those who were reached."""
    fresh: list[Listener] = []
    missed = 0
    findings = fingerprinting.recognise(tuple(planned.suspects), seconds)
    for some, finding in zip(planned.suspects.values(), findings, strict=True):
        if not finding.reached:
            missed += len(some)
            continue
        if finding.limit is not None:
            notes[finding.limit] = None
        else:
            fresh += some
        for one in some:
            answers[one] = finding.service
    if missed:
        notes[f"{missed} listeners were not asked what speaks there: the {seconds:g} s were over"] = None
    return fresh


def _addresses(bound: IPAddress, *, v6only: bool) -> Iterable[IPAddress]:
    """Addresses by which a socket can be reached, the best first."""
    if not bound.is_unspecified:
        return (destination(bound),)
    if bound.version == 4:
        return _ASIDE
    return (IPv6Address("::1"),) if v6only else (IPv6Address("::1"), *_ASIDE)


def _place(one: Listener) -> tuple[Protocol, int, int | None]:
    return one.socket.protocol, one.socket.port, one.socket.netns


def _same(one: Listener, other: Listener) -> bool:
    """Whether two looks saw one socket."""
    first, second = one.socket, other.socket
    numbers = (first.inode, first.cookie) == (second.inode, second.cookie)
    return numbers and first.address == second.address and first.interface == second.interface


def _java_options(one: Listener) -> tuple[str, ...]:
    """The words of JAVA_TOOL_OPTIONS, by which a debugger may be told to listen."""
    words: list[str] = []
    for owner in one.owners:
        if os.path.basename(owner.process.exe or owner.process.name).startswith("java"):
            words += (environment(owner.process.pid) or {}).get("JAVA_TOOL_OPTIONS", "").split()
    return tuple(words)
