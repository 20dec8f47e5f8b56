"""The page of `homeport doctor`."""

from __future__ import annotations

import io
from dataclasses import replace

from homeport.cli.doctor import lines
from homeport.cli.text import Paint
from homeport.model.health import EngineHealth, Health, NamespaceHealth, Right, SourceHealth
from homeport.model.snapshot import Netns

PLAIN = Paint(io.StringIO())
WELL = Health(
    version="1.2.3",
    system="Linux",
    kernel="6.1.0",
    python="3.11.2",
    uid=0,
    btf=True,
    libbpf="v1.1",
    hidden=None,
    pinned=False,
    chosen="bpf",
    sources=(SourceHealth(name="bpf", reason=None), SourceHealth(name="netlink", reason=None)),
    namespaces=(NamespaceHealth(netns=Netns(7, None, 1, True), reason=None),),
    engines=(EngineHealth(place="/run/podman/podman.sock", containers=2),),
    rights=(Right(name="CAP_BPF", held=True, adds="the bpf source"),),
    limits=(),
)


def page(health: Health) -> str:
    return "\n".join(lines(health, PLAIN))


def test_a_machine_where_all_is_well() -> None:
    text = page(WELL)
    assert text.startswith("homeport 1.2.3, Python 3.11.2, Linux 6.1.0, root\n")
    assert "  bpf      works, and is what a listing takes now\n" in text
    assert "  netlink  works\n" in text
    assert "this one" in text
    assert "/run/podman/podman.sock  answers, 2 running" in text
    assert "doctor --pin" in text
    assert "sudo" not in text


def test_an_ordinary_user_on_a_machine_with_flaws() -> None:
    flawed = replace(
        WELL,
        uid=1000,
        btf=False,
        libbpf=None,
        hidden="hidepid",
        pinned=None,
        chosen="netlink",
        sources=(SourceHealth(name="bpf", reason="no BTF"), SourceHealth(name="netlink", reason=None)),
        namespaces=(
            NamespaceHealth(netns=Netns(7, None, 1, True), reason=None),
            NamespaceHealth(netns=Netns(None, None, 44, False), reason="Operation not permitted"),
            NamespaceHealth(netns=Netns(9, "blue", None, False), reason="Operation not permitted"),
        ),
        engines=(),
        rights=(Right(name="CAP_BPF", held=False, adds="the bpf source"),),
        limits=("the engine at /x did not answer",),
    )
    text = page(flawed)
    assert "user 1000" in text
    assert "  bpf      no: no BTF\n" in text
    assert "/proc          hidepid" in text
    assert "may not be read  of process 44  no: Operation not permitted" in text
    assert "blue" in text
    assert "Container engines" not in text
    assert "note: the engine at /x did not answer" in text
    assert text.endswith("sees what the missing rights hide")


def test_another_system_has_no_ground_to_speak_of() -> None:
    text = page(replace(WELL, system="Darwin", uid=None, namespaces=(), engines=(), rights=(), pinned=None))
    assert "Ground" not in text
    assert "Rights" not in text


def test_names_from_outside_are_made_harmless() -> None:
    text = page(replace(WELL, namespaces=(NamespaceHealth(netns=Netns(9, "a\x1b[2Jb", None, False), reason=None),)))
    assert "\x1b" not in text
    assert "a\\x1b[2Jb" in text
