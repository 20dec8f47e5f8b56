"""What real processes belong to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from homeport.rules import publishing
from homeport.system import belongings, procfs
from homeport.system.belongings import Belongings

if TYPE_CHECKING:
    from tests.system.conftest import Podman


def test_a_contained_process_has_a_named_container_and_no_project_of_the_host(podman: Podman) -> None:
    identity = podman.run("belongs")
    process = procfs.read_process(podman.pid(identity))
    assert process is not None
    for one in (process, process._replace(cgroup="0::/\n")):
        found = Belongings().of(one)
        assert found.container is not None
        assert (found.container.id, found.container.name) == (identity, f"{podman.prefix}-belongs")
        assert found.container.image == podman.image
        assert found.project is None


def test_this_process_has_the_project_of_its_folder() -> None:
    process = procfs.read_process(os.getpid())
    assert process is not None
    found = Belongings().of(process)
    assert found.container is None
    assert found.project is not None
    assert found.project.root == os.getcwd()


def test_who_holds_a_published_port_belongs_to_the_container_behind_it(podman: Podman) -> None:
    identity = podman.run("held", "-p", "127.0.0.1::80")
    conmon = procfs.read_process(int(podman.podman("inspect", "-f", "{{.State.ConmonPid}}", identity)))
    assert conmon is not None
    found = Belongings().of(conmon)
    assert found.container is not None
    assert (found.container.id, found.container.image) == (identity, podman.image)
    assert found.container.evidence[0].text == f"conmon -c {identity}"
    assert found.project is None


def test_the_names_of_forwarders_are_the_same_everywhere() -> None:
    assert belongings._FORWARDING == publishing.FORWARDING
