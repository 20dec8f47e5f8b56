"""What a process belongs to: container, unit, project. Each answer is found once for many processes."""

from __future__ import annotations

from homeport.lean import TYPE_CHECKING, NamedTuple
from homeport.model.owners import Container, Process, Project, Unit
from homeport.rules import cgroups
from homeport.rules.cgroups import ContainerMark
from homeport.system.containment import Containment
from homeport.system.projects import Projects

if TYPE_CHECKING:
    from homeport.system.engines import Engines
    from homeport.system.publishing import Publishing

# as rules.publishing.FORWARDING, which a machine without containers need not load
_FORWARDING = ("conmon", "docker-proxy", "rootlessport", "rootlesskit", "slirp4netns", "pasta", "passt")


class Belonging(NamedTuple):
    """What was found for one process; None where there is none."""

    container: Container | None
    unit: Unit | None
    project: Project | None


class Belongings:
    """A memory for one look: processes share cgroups and folders."""

    def __init__(self) -> None:
        self._projects = Projects()
        self._containment = Containment()
        self._engines: Engines | None = None
        self._publishing: Publishing | None = None
        self._units: dict[str, Unit | None] = {}
        self.limits: list[str] = []

    def of(self, process: Process) -> Belonging:
        """Container from the cgroup or the namespaces, unit from the cgroup, project from the working folder."""
        group = process.cgroup
        mark = self._containment.mark_of(process)
        if group and group not in self._units:
            self._units[group] = cgroups.unit_of(group)
        unit = self._units[group] if group else None
        if mark is None and process.name.startswith(_FORWARDING):
            container = self._held_by(process)
            if container is not None:  # its working folder is only where somebody happened to start the container
                return Belonging(container, unit, None)
        if mark is None:
            return Belonging(None, unit, self._projects.of_process(process))
        # a contained process's folder is one of its own root, not of the machine's
        return Belonging(self._described(mark), unit, None)

    def _described(self, mark: ContainerMark) -> Container:
        engines = self._asked()
        container = engines.describe(mark)
        self.limits += [limit for limit in engines.limits if limit not in self.limits]
        return container

    def _held_by(self, process: Process) -> Container | None:
        """The container whose published port a process holds."""
        if self._publishing is None:
            from homeport.system.publishing import Publishing

            self._publishing = Publishing(self._asked())
        container = self._publishing.held_by(process)
        self.limits += [limit for limit in self._publishing.limits if limit not in self.limits]
        return container

    def _asked(self) -> Engines:
        if self._engines is None:
            from homeport.system.engines import Engines

            self._engines = Engines()
        return self._engines
