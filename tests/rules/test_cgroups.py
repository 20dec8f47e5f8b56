"""Texts of /proc/PID/cgroup as engines and systemd make them, and hostile ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.rules.cgroups import container_of, unescape, unit_of

A, B = "a1" * 32, "b2" * 32
POD = "pod3f6cd7e2_8a3b_4c1f_9a52_0e0f4b0a9d11"
USER = "/user.slice/user-1000.slice/user@1000.service"

CONTAINERS = [
    (f"0::/docker/{A}", "docker", A),
    (f"0::/system.slice/docker-{A}.scope", "docker", A),
    (f"0::{USER}/user.slice/docker-{A}.scope", "docker", A),
    (f"0::/build.slice/docker-{A}.scope", "docker", A),
    (f"0::/../../system.slice/docker-{A}.scope", "docker", A),
    (f"12:pids:/docker/{A}\n1:name=systemd:/docker/{A}\n0::/system.slice/containerd.service", "docker", A),
    (f"4:memory:/ecs/9a8b7c/{A}", "docker", A),
    ("0::/docker/buildkit/7v2h1k9q0z", "buildkit", "7v2h1k9q0z"),
    (f"0::/machine.slice/libpod-{A}.scope/container", "podman", A),
    (f"0::{USER}/user.slice/libpod-{A}.scope/container", "podman", A),
    (f"0::/machine.slice/machine-libpod_pod_{B}.slice/libpod-{A}.scope", "podman", A),
    (f"9:name=systemd:/\n8:pids:/libpod_parent/libpod-{A}\n0::/libpod_parent/libpod-{A}", "podman", A),
    (f"9:name=systemd:/\n8:pids:/libpod_parent/libpod-{A}\n0::/", "podman", A),
    (f"0::/libpod_parent/{B}/libpod-{A}", "podman", A),
    (f"0::/system.slice/web.service/libpod-payload-{A}", "podman", A),
    (
        f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{POD}.slice/cri-containerd-{A}.scope",
        "containerd",
        A,
    ),
    (f"0::/kubepods.slice/kubepods-{POD}.slice/docker-{A}.scope", "docker", A),
    (f"0::/kubepods.slice/kubepods-{POD}.slice/crio-{A}.scope", "cri-o", A),
    (
        f"0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-{POD}.slice/cri-containerd-{A}.scope",
        "containerd",
        A,
    ),
    (f"11:devices:/kubepods/besteffort/{POD}/{A}", "kubernetes", A),
    (f"0::/system.slice/containerd.service/kubepods-besteffort-{POD}.slice:cri-containerd:{A}", "containerd", A),
    (f"0::/system.slice:docker:{A}", "docker", A),
    (f"0::/user.slice/nerdctl-{A}.scope", "containerd", A),
    (f"10:net_prio:/{A}", "unknown", A),
    (f"0::/mine/{A}", "unknown", A),
    ("0::/lxc.payload.web/system.slice/nginx.service", "lxc", "web"),
    ("0::/lxc.payload.project_web", "lxc", "project_web"),
    ("4:cpu:/lxc.payload/web\n3:pids:/lxc.monitor/web", "lxc", "web"),
    ("4:cpu:/lxc/100/ns/init.scope", "lxc", "100"),
    ("0::/machine.slice/machine-my\\x2dbox.scope/payload/init.scope", "systemd-nspawn", "my-box"),
    ("0::/machine.slice/systemd-nspawn@box.service/payload", "systemd-nspawn", "box"),
    ("1:name=systemd:/machine.slice/machine-box.scope", "systemd-nspawn", "box"),
    ("0::/machine.slice/machine-lxc\\x2d812\\x2dweb.scope", "libvirt-lxc", "web"),
    (f"0::/docker/{A}/kubelet/kubepods/{POD}/{B}", "docker", A),
    (f"0::/lxc.payload.outer/docker/{B}", "lxc", "outer"),
    (f"0::/system.slice/docker-{A}.scope (deleted)", "docker", A),
]


@pytest.mark.parametrize(("text", "engine", "identity"), CONTAINERS)
def test_a_container_is_named_with_the_line_that_says_so(text: str, engine: str, identity: str) -> None:
    mark = container_of(text)
    assert mark is not None
    assert (mark.engine, mark.id) == (engine, identity)
    assert mark.evidence.text in text.split("\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0::/",
        "0::/init.scope",
        "0::/system.slice/docker.service",
        "0::/system.slice/containerd.service",
        f"0::/machine.slice/libpod-conmon-{A}.scope",
        "8:pids:/libpod_parent/conmon\n0::/",
        f"0::/libpod_parent/{A}/conmon",
        f"0::/kubepods.slice/crio-conmon-{A}.scope",
        "0::/system.slice/web.service/supervisor",
        "0::/lxc.monitor.web",
        "3:pids:/lxc.monitor/web",
        "0::/machine.slice/machine-box.scope/supervisor",
        "1:name=systemd:/machine.slice/machine-box.scope/supervisor",
        "0::/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
        "1:name=systemd:/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
        "0::/system.slice/docker-compose.scope",
        "0::/system.slice/libpod-frontend.service",
        f"4:memory:/sandbox/{A[:32]}",
    ],
)
def test_what_is_in_no_container(text: str) -> None:
    assert container_of(text) is None


UNITS = [
    ("0::/system.slice/nginx.service", "nginx.service", "system", "system.slice"),
    ("0::/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "system", "system-getty.slice"),
    ("0::/system.slice/dev-disk\\x2dby.swap", "dev-disk\\x2dby.swap", "system", "system.slice"),
    ("0::/system.slice/my\\x2dapp@a-b.service/worker", "my\\x2dapp@a-b.service", "system", "system.slice"),
    ("0::/system.slice/cups.socket", "cups.socket", "system", "system.slice"),
    ("0::/init.scope", "init.scope", "system", None),
    ("0::/system.slice/_cpu.service", "cpu.service", "system", "system.slice"),
    (f"0::{USER}/app.slice/foo.service", "foo.service", "user", "app.slice"),
    (f"0::{USER}/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope", "vte-spawn-1.scope", "user",
     "app-org.gnome.Terminal.slice"),
    (f"0::{USER}/init.scope", "init.scope", "user", None),
    (f"0::{USER}", "user@1000.service", "system", "user-1000.slice"),
    ("5:memory:/x\n1:name=systemd:/system.slice/ssh.service\n0::/system.slice/ssh.service", "ssh.service", "system",
     "system.slice"),
    ("5:memory:/docker/x\n1:name=systemd:/system.slice/ssh.service", "ssh.service", "system", "system.slice"),
    (f"0::/system.slice/web.service/libpod-payload-{A}", "web.service", "system", "system.slice"),
    ("0::/../../system.slice/web.service", "web.service", "system", "system.slice"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "scope", "slice_"), UNITS)
def test_a_unit_is_named_with_its_manager_and_slice(text: str, name: str, scope: str, slice_: str | None) -> None:
    unit = unit_of(text)
    assert unit is not None
    assert (unit.name, unit.scope, unit.slice) == (name, scope, slice_)
    assert unit.evidence[0].text in text.split("\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0::/",
        "0::/user.slice",
        "0::/user.slice/user-1000.slice/session-3.scope",
        "1:name=systemd:/user.slice/user-0.slice/session-c1.scope",
        f"0::/system.slice/docker-{A}.scope",
        f"0::/machine.slice/libpod-{A}.scope/container/system.slice/nginx.service",
        f"0::/docker/{A}/system.slice/nginx.service",
        "0::/lxc.payload.web/system.slice/nginx.service",
        "0::/machine.slice/machine-box.scope/payload/system.slice/nginx.service",
        "4:memory:/system.slice/nginx.service",
        "0::/.service",
    ],
)
def test_what_is_of_no_unit(text: str) -> None:
    assert unit_of(text) is None


def test_escapes_are_undone_and_broken_ones_kept() -> None:
    assert unescape("a\\x2db\\xc3\\xa9") == "a-bé"
    assert unescape("a\\xzz\\x2") == "a\\xzz\\x2"


_PIECES = st.sampled_from(
    ["0::", "1:name=systemd:", "/", ":", "\n", "..", "docker", "libpod-", "libpod_parent", "lxc", "lxc.payload.", "\\x",
     "machine-", ".scope", ".service", ".slice", "user@1000.service", "session-1", A, "_", "kubepods", " (deleted)"]
)  # fmt: skip


@given(st.lists(_PIECES | st.binary(max_size=9).map(lambda raw: raw.decode("utf-8", "surrogateescape"))).map("".join))
def test_hostile_text_never_raises_and_nothing_is_invented(text: str) -> None:
    mark, unit = container_of(text), unit_of(text)
    assert mark is None or (mark.id and mark.engine)
    assert mark is None or mark.engine in ("systemd-nspawn", "libvirt-lxc") or mark.id in text
    assert unit is None or (unit.name in text and not unit.name.startswith("session-"))


def test_a_text_without_end_is_bounded() -> None:
    assert container_of("0::/x" * 1_000_000) is None
    assert unit_of("0::" + "/a.slice" * 1_000_000 + "/x.service") is None
