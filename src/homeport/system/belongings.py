"""What a process belongs to: container, unit, project. Each answer is found once for many processes."""

from __future__ import annotations

from homeport.lean import NamedTuple
from homeport.model.owners import Container, Process, Project, Unit
from homeport.rules import cgroups
from homeport.system.projects import Projects


class Belonging(NamedTuple):
    """What was found for one process; None where there is none."""

    container: Container | None
    unit: Unit | None
    project: Project | None


class Belongings:
    """A memory for one look: processes share cgroups and folders."""

    def __init__(self) -> None:
        self._projects = Projects()
        self._by_cgroup: dict[str, tuple[Container | None, Unit | None]] = {}
        self._engines: list[object] = []
        self.limits: list[str] = []

    def of(self, process: Process) -> Belonging:
        """Container and unit from the cgroup, project from the working folder."""
        container, unit = None, None
        if process.cgroup:
            found = self._by_cgroup.get(process.cgroup)
            if found is None:
                found = self._by_cgroup[process.cgroup] = self._of_cgroup(process.cgroup)
            container, unit = found
        # a contained process's folder is one of its own root, not of the machine's
        project = self._projects.of(process.cwd) if process.cwd and container is None else None
        return Belonging(container, unit, project)

    def _of_cgroup(self, text: str) -> tuple[Container | None, Unit | None]:
        mark = cgroups.container_of(text)
        if mark is None:
            return None, cgroups.unit_of(text)
        from homeport.system.engines import Engines

        engines = Engines()
        container = engines.describe(mark)
        self.limits += [limit for limit in engines.limits if limit not in self.limits]
        return container, None
