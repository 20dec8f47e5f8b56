"""The sources of sockets and owners, best first; every one makes the same model.

To add a source: a class with the members of `Source`, and a line in `SOURCES`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from homeport.errors import SourceError, UsageError
from homeport.lean import Protocol
from homeport.model.owners import Process
from homeport.model.snapshot import Look, Netns, Query
from homeport.model.sockets import Holder, Socket
from homeport.system import namespaces, procfs


class Source(Protocol):
    """Where facts come from."""

    name: str
    """What `--source` calls it."""

    def missing(self) -> str | None:
        """Why it does not work here, as a phrase; None when it does. Cheap."""

    def look(self, query: Query) -> Look:
        """Sockets and holders. Raises SourceError when the system refuses after all."""

    def process(self, pid: int) -> Process | None:
        """The facts of a process; None when it is gone."""


class Bpf:
    """eBPF iterator over every descriptor of every process, with sock_diag for the sockets that nobody holds."""

    name = "bpf"

    def missing(self) -> str | None:
        """No rights, no BTF, an old kernel, no libbpf."""
        from homeport.system import bpf

        return bpf.missing()

    def look(self, query: Query) -> Look:
        """One pass in the kernel; namespaces that cannot be entered are seen all the same."""
        from homeport.system import bpf, netlink

        # as much as the second processor reads while this one asks for sockets; the rest is read when it is needed
        pids = procfs.all_pids() if query.ports is None else []
        facts = procfs.Census(pids[: len(pids) * 3 // 5])
        try:
            seen, holders = bpf.look(query)
            mine = namespaces.own()
            if not query.namespaces:
                seen = [one for one in seen if one.netns == mine]
            netns = _census_of(seen, holders, query, mine)
            rest = netlink.dump(query, netns, frozenset(holders))
        finally:
            processes = facts.processes()
        found = (*seen, *rest.sockets)
        reason = procfs.sees_every_process()
        return Look(
            found,
            tuple([holders.get(one.inode or 0, ()) for one in found]),
            processes,
            netns,
            reason is None,
            (*rest.limits, *[one for one in (reason, bpf.pinned_problem()) if one]),
        )

    def process(self, pid: int) -> Process | None:
        """From /proc."""
        return procfs.read_process(pid)


class Netlink:
    """sock_diag(7) for the sockets and /proc/*/fd for their holders."""

    name = "netlink"

    def missing(self) -> str | None:
        """No Linux, no netlink. Without /proc it sees sockets, but no owners."""
        from homeport.system import netlink

        return netlink.missing()

    def look(self, query: Query) -> Look:
        """The sockets of every namespace that can be seen, then a walk over the descriptors that may be read."""
        from homeport.system import netlink

        pids = procfs.all_pids()
        census = namespaces.census(pids) if query.namespaces else namespaces.census(())
        dump = netlink.dump(query, census.netns if query.namespaces else census.netns[:1])
        wanted = frozenset([one.inode for one in dump.sockets if one.inode])
        walk = procfs.walk(pids if wanted else (), wanted)
        limits = [*census.limits, *dump.limits]
        reason = procfs.sees_every_process()
        if reason:
            limits.append(reason)
        if walk.closed:
            limits.append(_closed(walk.closed))
        if walk.starved:
            limits.append(f"descriptors or memory ran out before {walk.starved} of {len(pids)} processes could be read")
        return Look(
            tuple(dump.sockets),
            tuple([walk.holders.get(one.inode or 0, ()) for one in dump.sockets]),
            walk.processes,
            census.netns,
            not walk.closed and not walk.starved and reason is None,
            tuple(limits),
        )

    def process(self, pid: int) -> Process | None:
        """From /proc."""
        return procfs.read_process(pid)


class Portable:
    """psutil, for systems without netlink and /proc."""

    name = "psutil"

    def missing(self) -> str | None:
        """psutil cannot be imported."""
        from homeport.system import portable

        return portable.missing()

    def look(self, query: Query) -> Look:
        """What psutil.net_connections() tells: the caller's namespace, no backlogs, no cookies."""
        from homeport.system import portable

        return portable.look(query)

    def process(self, pid: int) -> Process | None:
        """From psutil."""
        from homeport.system import portable

        return portable.read_process(pid)


SOURCES: tuple[Source, ...] = (Bpf(), Netlink(), Portable())


def choose(forced: str | None = None) -> Source:
    """The source named `forced`, or the first that works here.

    Raises UsageError for an unknown name, SourceError where none (or not the forced one) works.
    """
    if forced is None:
        return next(_working())
    for source in SOURCES:
        if source.name == forced:
            reason = source.missing()
            if reason:
                remedy = "homeport doctor says which sources do"
                raise SourceError(f"the source {forced} does not work here", why=reason, remedy=remedy)
            return source
    raise UsageError(f"there is no source {forced!r}", remedy=f"one of: {', '.join(one.name for one in SOURCES)}")


def look(query: Query, forced: str | None = None) -> tuple[Source, Look]:
    """The look of the source `forced`, or of the best that is not refused after all; a refusal is a limit."""
    if forced is not None:
        source = choose(forced)
        return source, source.look(query)
    refused: list[str] = []
    for source in _working():
        try:
            seen = source.look(query)
        except SourceError as error:  # the next source sees nearly as much, and the limit says it
            refused.append(f"{source.name} was refused: {error.why or error.what}")
        else:
            return source, seen._replace(limits=(*refused, *seen.limits))
    raise SourceError("no source of sockets works on this machine", why="; ".join(refused))


def _working() -> Iterator[Source]:
    """Sources that work here, best first, each asked when it is its turn. Raises SourceError for none."""
    reasons = []
    for source in SOURCES:
        reason = source.missing()
        if reason is None:
            yield source
        else:
            reasons.append(f"{source.name}: {reason}")
    if len(reasons) == len(SOURCES):
        raise SourceError("no source of sockets works on this machine", why="; ".join(reasons))


def _census_of(
    seen: Iterable[Socket],
    holders: dict[int, list[Holder]] | dict[int, tuple[Holder, ...]],
    query: Query,
    mine: int | None,
) -> tuple[Netns, ...]:
    """The caller's namespace and those of the sockets seen, each with a process that can lead into it."""
    if not query.namespaces:
        return namespaces.census(()).netns[:1]
    found = {one.inode: one for one in namespaces.census(()).netns}
    for one in seen:
        if one.netns is not None and (one.netns not in found or (found[one.netns].pid is None)):
            held = holders.get(one.inode or 0)
            name = found[one.netns].name if one.netns in found else None
            found[one.netns] = Netns(one.netns, name, held[0].pid if held else None, one.netns == mine)
    return tuple(found.values())


def _closed(number: int) -> str:
    whose = "1 process" if number == 1 else f"{number} processes"
    more = "" if os.geteuid() == 0 else ": run with sudo to name every owner"
    return f"the descriptors of {whose} may not be read by this user{more}"
