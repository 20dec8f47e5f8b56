"""Whether a process is in a container: by its control group, and where that says nothing, by its namespaces.

A control group may say nothing: `--cgroups=disabled`, rootless Podman on cgroup v1, a cgroup namespace. Then a process
with a mount namespace of its own is in the container of the monitor among its ancestors, or in the one whose first
process an engine says it is.
"""

from __future__ import annotations

from homeport.lean import TYPE_CHECKING
from homeport.model.evidence import Evidence
from homeport.model.owners import Process
from homeport.rules import cgroups
from homeport.rules.cgroups import ContainerMark
from homeport.system import procfs

if TYPE_CHECKING:
    from homeport.system.engines import Engines

_KINDS = ("mnt", "pid", "net")


def foreign_namespaces(pid: int) -> frozenset[str] | None:
    """Which of a process's mnt, pid and net namespaces are not the caller's; None where they may not be read."""
    found = set()
    for kind in _KINDS:
        theirs = procfs.read_link(f"/proc/{pid}/ns/{kind}")
        if theirs is None:
            return None
        if theirs != procfs.read_link(f"/proc/self/ns/{kind}"):
            found.add(kind)
    return frozenset(found)


class Containment:
    """Answers for one look. `engines` are asked last, and only where the namespaces say that there is a container."""

    def __init__(self, engines: Engines | None = None) -> None:
        self._engines = engines
        self._own = procfs.read_link("/proc/self/ns/mnt")
        self._by_group: dict[str, ContainerMark | None] = {}

    def mark_of(self, process: Process) -> ContainerMark | None:
        """The container that a process is in; None where it is in none, or none can be shown."""
        if process.cgroup:
            if process.cgroup not in self._by_group:
                self._by_group[process.cgroup] = cgroups.container_of(process.cgroup)
            mark = self._by_group[process.cgroup]
            if mark is not None:
                return mark._replace(evidence=mark.evidence._replace(source=f"/proc/{process.pid}/cgroup"))
        namespace = process.mount_namespace
        if namespace is None or namespace == self._own:
            return None
        return self._by_namespaces(process)

    def _by_namespaces(self, process: Process) -> ContainerMark | None:
        from homeport.rules.publishing import monitored_by
        from homeport.system.lineage import ancestors

        parents = ancestors(process).processes[1:]
        mark = monitored_by(parents)
        foreign = foreign_namespaces(process.pid)
        if mark is not None or self._engines is None or not foreign or "pid" not in foreign:
            return mark
        container = self._engines.of_pid([process.pid, *(parent.pid for parent in parents)])
        if container is None:
            return None
        text = f"its first process is {container.pid}: {process.pid} or an ancestor of it"
        return ContainerMark(container.engine, container.id, Evidence(container.evidence[0].source, text))
