"""Verdicts about the process that holds the listener: it is there, and cannot answer."""

from __future__ import annotations

from collections.abc import Iterator

from homeport.model.case import Case, Condition
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence, Evidence
from homeport.model.snapshot import Listener
from homeport.rules.naming import label
from homeport.rules.verdicts.gateways import UNAVAILABLE, gateway
from homeport.rules.verdicts.kind import Finding, advice, at, command, edit, owner, word
from homeport.rules.verdicts.listening import YOUNG


def stopped(case: Case) -> Finding | None:
    """Everyone who could accept on a socket is stopped by a signal, traced, or frozen."""
    for one, holders in _sockets(case):
        halted = [each for each in holders if each.halted]
        if not halted or (len(halted) < len(holders) and not _idle(halted, holders)):
            continue
        shared = len(_sharing(case)) > 1
        if shared and _answered(case):
            effect = f"clients that the kernel leads to it, of the {len(_sharing(case))} that share the port, get none"
        elif _answered(case):
            continue
        else:
            effect = "the kernel still takes connections, nobody accepts them"
        return _halt(one, halted, effect)
    return _partly(case)


def _partly(case: Case) -> Finding | None:
    """Where nothing comes, and some of those that hold the socket are stopped, that is the likely reason."""
    halted = [one for one in case.conditions if one.halted]
    if not halted or case.connected is None or case.listener is None or _answered(case) or _said_no(case):
        return None
    effect = "the others that hold the socket leave the connection to it, as it seems"
    return _halt(case.listener, halted, effect)._replace(confidence=Confidence.LIKELY)


def _halt(listener: Listener, halted: list[Condition], effect: str) -> Finding:
    one = halted[0]
    who, pid = f"{label(one.process)} (pid {one.process.pid})", one.process.pid
    if one.frozen is not None:
        group = one.frozen.rpartition("/")[0]
        cause = f"{who} is frozen with its control group {group}: {effect}"
        evidence = Evidence(one.frozen, f"/proc/{pid}/cgroup names it, and it is frozen (cgroups(7))")
        container = next((each.container for each in listener.owners if each.container is not None), None)
        thaw = "THAWED" if one.frozen.endswith("freezer.state") else "0"
        remedy = command(f"echo {thaw} > {word(one.frozen)}", "lets it run again (root)")
        if container is not None:
            remedy = command(
                f"{container.engine} unpause {word(container.name or container.id[:12])}", "lets it run again"
            )
        return Finding(Verdict.STOPPED, Fault.SERVER, cause, (evidence,), (remedy,))
    state = f"State: {one.state}"
    if one.tracer is not None:
        cause = f"{who} is held by its tracer, pid {one.tracer}, likely a debugger at a breakpoint: {effect}"
        evidence = Evidence(f"/proc/{pid}/status", f"{state}, TracerPid: {one.tracer}")
        remedy = advice(
            f"continue or detach in the debugger (pid {one.tracer})", "a traced process runs when it says so"
        )
        return Finding(Verdict.STOPPED, Fault.SERVER, cause, (evidence,), (remedy,))
    cause = f"{who} is stopped by a signal: {effect}"
    pids = " ".join(str(each.process.pid) for each in halted if each.frozen is None and each.tracer is None)
    remedies = [command(f"kill -CONT {pids}", "lets it run again")]
    return Finding(Verdict.STOPPED, Fault.SERVER, cause, (Evidence(f"/proc/{pid}/status", state),), tuple(remedies))


def _sharing(case: Case) -> tuple[Listener, ...]:
    """The sockets that the kernel spreads clients over: one, but for SO_REUSEPORT."""
    found = next((one.sharing for one in case.candidates if one.address == case.address), ())
    return found or (() if case.listener is None else (case.listener,))


def _sockets(case: Case) -> Iterator[tuple[Listener, list[Condition]]]:
    by_pid = {one.process.pid: one for one in case.conditions}
    for one in _sharing(case):
        holders = [by_pid[each.process.pid] for each in one.owners if each.process.pid in by_pid]
        if holders:
            yield one, holders


def _idle(halted: list[Condition], holders: list[Condition]) -> bool:
    """Whether all that still run are parents of those that do not: a parent hands the socket down, and waits."""
    parents = {one.process.ppid for one in halted}
    return all(one.process.pid in parents for one in holders if one not in halted)


def out_of_descriptors(case: Case) -> Finding | None:
    """accept(2) fails with EMFILE: the connections wait in the queue."""
    for one in case.conditions:
        if one.descriptors is None or one.limit is None or one.descriptors < one.limit:
            continue
        waiting = case.queue is not None and case.queue.waiting > 0
        if not waiting and _answered(case):
            continue
        pid = one.process.pid
        cause = (
            f"{label(one.process)} (pid {pid}) has {one.descriptors} of {one.limit} descriptors open: it cannot accept"
        )
        more = max(4096, one.limit * 4)
        return Finding(
            Verdict.OUT_OF_DESCRIPTORS, Fault.SERVER, cause,
            (Evidence(f"/proc/{pid}/limits", f"Max open files {one.limit}, {one.descriptors} in /proc/{pid}/fd"),),
            (_raise(one, more),
             edit(f"in its unit or start script: LimitNOFILE={more}, or ulimit -n {more}", "for good"),
             command(f"homeport ls --all --pid {pid}", "what it holds open: a leak comes back")),
        )  # fmt: skip
    return None


def _raise(one: Condition, more: int) -> Remedy:
    """Up to the hard limit by the owner, beyond it by root alone (prlimit(1))."""
    pid, hard = one.process.pid, one.hard_limit
    if hard is not None and one.limit is not None and hard > one.limit:
        return command(f"prlimit --pid {pid} --nofile={min(more, hard)}:", "gives it more now, up to its hard limit")
    return command(f"sudo prlimit --pid {pid} --nofile={more}:{more}", "gives it more now")


def backlog_full(case: Case) -> Finding | None:
    """The accept queue is full, so the kernel drops new connections."""
    if case.queue is None or not case.queue.full or case.connected is not None:
        return None
    queue = case.queue
    who = owner(case.listener)
    cause = f"{queue.waiting} connections wait for {who} to accept them, and its backlog is {queue.backlog}"
    return Finding(
        Verdict.BACKLOG_FULL, Fault.SERVER, cause,
        (Evidence("sock_diag(7)", f"receive queue {queue.waiting}, backlog {queue.backlog}: the queue is full"),),
        (command(f"homeport logs {case.port}", "why it does not accept: it hangs, or has too much to do"),
         edit("in the server: a longer backlog for listen(2); net.core.somaxconn bounds it", "room for short crowds")),
    )  # fmt: skip


def starting_up(case: Case) -> Finding | None:
    """It listens, and says or shows that it is not ready yet."""
    service = case.service
    state = dict(service.facts).get("state") if service is not None else None
    if service is not None and state == "starting":
        cause = f"{service.product or service.protocol} at {at(case)} says that it is still starting"
        return Finding(Verdict.STARTING, Fault.SERVER, cause, service.evidence, _later(case))
    one = min(case.conditions, key=lambda each: each.age if each.age is not None else YOUNG, default=None)
    if one is None or one.age is None or one.age >= YOUNG:
        return None
    who = f"{label(one.process)} (pid {one.process.pid})"
    if case.exchanges and case.exchanges[-1].status == UNAVAILABLE and gateway(case) is None:
        how = f"it listens, and answers {UNAVAILABLE}"
    elif case.connected is not None and not _answered(case) and case.queue is not None and case.queue.waiting:
        how = "it listens, but does not accept connections yet"
    else:
        return None
    cause = f"{who} was started {one.age:.1f} s ago: {how}"
    evidence = Evidence(f"/proc/{one.process.pid}/stat", f"started {one.age:.1f} s ago")
    return Finding(Verdict.STARTING, Fault.SERVER, cause, (evidence,), _later(case), Confidence.LIKELY)


def _later(case: Case) -> tuple[Remedy, ...]:
    return (
        command(f"homeport check {word(case.asked)} --watch", "says when it answers"),
        command(f"homeport logs {case.port}", "what it says meanwhile"),
    )


def _answered(case: Case) -> bool:
    """Whether a byte came from the peer."""
    return bool(case.greeting) or bool(case.exchanges) or case.spoken is not None


def _said_no(case: Case) -> bool:
    """Whether the peer ended the connection: then somebody did accept it."""
    failure = case.exchange_failure
    return case.closed_early or (failure is not None and failure.failing in (Failing.CLOSED, Failing.RESET))
