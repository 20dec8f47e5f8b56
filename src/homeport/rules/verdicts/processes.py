"""Verdicts about the process that holds the listener: it is there, and cannot answer."""

from __future__ import annotations

from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.evidence import Confidence, Evidence
from homeport.rules.naming import label
from homeport.rules.verdicts.kind import Finding, advice, at, command, edit, owner
from homeport.rules.verdicts.listening import YOUNG

_STOPPED = frozenset("Tt")


def stopped(case: Case) -> Finding | None:
    """Every process that could accept is stopped by a signal, traced, or frozen."""
    some = case.conditions
    if not some or not all(one.frozen is not None or one.state in _STOPPED for one in some):
        return None
    one = some[0]
    name, pid = label(one.process), one.process.pid
    if one.frozen is not None:
        owners = case.listener.owners if case.listener is not None else ()
        container = next((each.container for each in owners if each.container is not None), None)
        remedy = command(f"echo 0 > /sys/fs/cgroup{one.frozen}/cgroup.freeze", "thaws it (root)")
        if container is not None:
            remedy = command(f"{container.engine} unpause {container.name or container.id[:12]}", "thaws it")
        cause = f"{name} (pid {pid}) is frozen with its control group {one.frozen}: the kernel still takes connections"
        evidence = Evidence(f"/proc/{pid}/cgroup", f"{one.frozen} is frozen (cgroups(7))")
        return Finding(Verdict.STOPPED, Fault.SERVER, cause, (evidence,), (remedy,))
    if one.tracer is not None:
        cause = f"{name} (pid {pid}) is held by its tracer, pid {one.tracer}, likely a debugger at a breakpoint"
        remedy = advice(
            f"continue or detach in the debugger (pid {one.tracer})", "a traced process runs when it says so"
        )
    else:
        cause = f"{name} (pid {pid}) is stopped by a signal: the kernel still takes connections, nobody accepts them"
        remedy = command(f"kill -CONT {' '.join(str(each.process.pid) for each in some)}", "lets it run again")
    evidence = Evidence(
        f"/proc/{pid}/status", f"State: {one.state}" + (f", TracerPid: {one.tracer}" if one.tracer else "")
    )
    return Finding(Verdict.STOPPED, Fault.SERVER, cause, (evidence,), (remedy,))


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
            (command(f"prlimit --pid {pid} --nofile={more}:{more}", "gives it more now (root)"),
             edit(f"in its unit or start script: LimitNOFILE={more}, or ulimit -n {more}", "for good"),
             command(f"homeport ls --all --pid {pid}", "what it holds open: a leak comes back")),
        )  # fmt: skip
    return None


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
    young = [one for one in case.conditions if one.age is not None and one.age < YOUNG]
    unready = case.connected is not None and not _answered(case)
    if not unready and case.exchanges:
        unready = case.exchanges[-1].status == 503
    if not young or not unready:
        return None
    one = young[0]
    who = f"{label(one.process)} (pid {one.process.pid})"
    cause = f"{who} was started {one.age:.1f} s ago: it listens, but does not answer yet"
    evidence = Evidence(f"/proc/{one.process.pid}/stat", f"started {one.age:.1f} s ago")
    return Finding(Verdict.STARTING, Fault.SERVER, cause, (evidence,), _later(case), Confidence.LIKELY)


def _later(case: Case) -> tuple[Remedy, ...]:
    return (
        command(f"homeport check {case.asked} --watch", "says when it answers"),
        command(f"homeport logs {case.port}", "what it says meanwhile"),
    )


def _answered(case: Case) -> bool:
    """Whether a byte came from the peer."""
    return bool(case.greeting) or bool(case.exchanges) or case.service is not None
