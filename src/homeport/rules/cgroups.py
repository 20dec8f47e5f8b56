r"""What a control group says about a process: the container and the systemd unit it belongs to.

The text is that of /proc/PID/cgroup (cgroups(7)): one line `hierarchy:controllers:path` per hierarchy; `0::path` is
cgroup v2, `N:name=systemd:path` is systemd's own of v1. Names are what the engines and systemd really make:

    docker       /docker/ID                     system.slice/docker-ID.scope    (rootless: below user@UID.service)
    podman       /libpod_parent/libpod-ID       machine.slice/libpod-ID.scope   foo.service/libpod-payload-ID
    containerd   kubepods…/cri-containerd-ID.scope    system.slice/nerdctl-ID.scope    …:cri-containerd:ID
    cri-o        kubepods…/crio-ID.scope
    kubernetes   /kubepods/…/podUID/ID          (the cgroupfs driver does not tell the engine)
    lxc          /lxc.payload.NAME  /lxc.payload/NAME  /lxc/NAME                (LXC, LXD and Incus alike)
    nspawn       machine.slice/machine-NAME.scope/payload    systemd-nspawn@NAME.service/payload

Where containers are nested, the outermost is named: it is the one that an engine of this machine knows. Monitors
(libpod-conmon-ID.scope, crio-conmon-ID.scope, lxc.monitor.NAME, …/supervisor) are outside of their container.
"""

from __future__ import annotations

from homeport.lean import NamedTuple
from homeport.model.evidence import Evidence
from homeport.model.owners import Unit


class ContainerMark(NamedTuple):
    """A container as a control group names it; `engine` is "unknown" where only an id is written."""

    engine: str
    id: str
    evidence: Evidence


_LONGEST = 65_536
_HEX = frozenset("0123456789abcdef")
_PREFIXES = (
    ("docker-", "docker"),
    ("libpod-payload-", "podman"),
    ("libpod-", "podman"),
    ("cri-containerd-", "containerd"),
    ("nerdctl-", "containerd"),
    ("crio-", "cri-o"),
)
"""Beginnings of a group's name, before the id; a row here is all that another engine of this kind needs."""
_COLON_ENGINES = {"docker": "docker", "cri-containerd": "containerd", "nerdctl": "containerd", "crio": "cri-o"}
_PARENTS = {"docker": "docker", "ecs": "docker"}
_UNIT_SUFFIXES = (".service", ".scope", ".socket", ".mount", ".swap")


def container_of(cgroup_text: str) -> ContainerMark | None:
    """The container that the text of /proc/PID/cgroup puts a process in; None where it names none."""
    for line, controllers, path in _lines(cgroup_text):
        groups = path.split("/")
        for index, group in enumerate(groups):
            found = _container_at(groups, index, group, controllers)
            if found is not None:
                return ContainerMark(found[0], found[1], Evidence("cgroup", line))
    return None


def unit_of(cgroup_text: str) -> Unit | None:
    """The systemd unit that the text of /proc/PID/cgroup puts a process in; None where it names none.

    A unit below `user@UID.service` is one of that user's manager. A login session (`session-3.scope`) is none: nobody
    starts or stops what runs in it through systemd. Nor is the scope of a container or of its inside. Names stay
    escaped (systemd.unit(5)), as systemctl takes them.
    """
    for line, controllers, path in _lines(cgroup_text):
        if controllers and controllers != "name=systemd":
            continue
        unit = _unit_in(path.split("/"), line)
        if unit is not None:
            return unit
    return None


def _lines(text: str) -> list[tuple[str, str, str]]:
    """Lines as (line, controllers, path), cgroup v2 and systemd's own first; root groups and repeats left out."""
    first, rest, seen = [], [], set()
    for line in text[:_LONGEST].split("\n"):
        _, _, controllers_path = line.partition(":")
        controllers, _, path = controllers_path.partition(":")
        path = path.removesuffix(" (deleted)")
        if len(path) < 2 or path[0] != "/":
            continue
        if not controllers or controllers == "name=systemd":
            first.append((line, controllers, path))
        elif path not in seen:
            seen.add(path)
            rest.append((line, controllers, path))
    return first + rest


def _is_id(text: str, *, shortest: int = 64) -> bool:
    return shortest <= len(text) <= 64 and _HEX.issuperset(text)


def _container_at(groups: list[str], index: int, group: str, controllers: str) -> tuple[str, str] | None:
    """(engine, id) if this group of a path is a container's."""
    parent = groups[index - 1] if index else ""
    following = groups[index + 1] if index + 1 < len(groups) else ""
    stem = group.removesuffix(".scope")
    for prefix, engine in _PREFIXES:
        if stem.startswith(prefix) and _is_id(stem[len(prefix) :], shortest=12):
            return engine, stem[len(prefix) :]
    if _is_id(stem):
        return _bare(groups, index, stem)
    if ":" in stem:
        # runc in cgroupfs mode given a systemd-style name: SLICE:PREFIX:ID becomes one folder.
        _, _, prefix_id = stem.partition(":")
        name, _, identity = prefix_id.partition(":")
        return (_COLON_ENGINES.get(name, "unknown"), identity) if _is_id(identity) else None
    if parent == "buildkit" and index > 1 and groups[index - 2] == "docker":
        return ("buildkit", group) if group else None
    return _lxc(group, parent) or _machine(group, following, controllers)


def _bare(groups: list[str], index: int, identity: str) -> tuple[str, str] | None:
    above = groups[:index]
    if "libpod_parent" in above:
        return None  # a pod's group: its containers are named below it, its conmon is in no container
    if any(group.startswith("kubepods") for group in above):
        return "kubernetes", identity
    return next((_PARENTS[group] for group in reversed(above) if group in _PARENTS), "unknown"), identity


def _lxc(group: str, parent: str) -> tuple[str, str] | None:
    if group.startswith("lxc.payload."):
        return ("lxc", group[12:]) if len(group) > 12 else None
    if group and (parent == "lxc.payload" or (parent == "lxc" and not group.startswith(("lxc.", "monitor")))):
        return "lxc", group
    return None


def _machine(group: str, following: str, controllers: str) -> tuple[str, str] | None:
    """A machine of systemd-machined. `machine-qemu-…` is a virtual machine: its process is one of the host."""
    if group.startswith("systemd-nspawn@") and group.endswith(".service") and following == "payload":
        return "systemd-nspawn", unescape(group[15:-8])
    if not (group.startswith("machine-") and group.endswith(".scope")):
        return None
    name = unescape(group[8:-6])
    if name.startswith("lxc-"):
        return "libvirt-lxc", name[4:].partition("-")[2] or name
    # cgroup v1 gives an nspawn container no folder of its own below the scope.
    legacy = controllers == "name=systemd" and following != "supervisor" and not name.startswith("qemu-")
    return ("systemd-nspawn", name) if name and (following == "payload" or legacy) else None


def unescape(name: str) -> str:
    r"""A unit's name without systemd's escapes: `\x2d` is "-", a plain "-" stays (systemd-escape(1))."""
    if "\\x" not in name:
        return name
    head, *tails = name.split("\\x")
    raw = head.encode("utf-8", "surrogateescape")
    for tail in tails:
        code = tail[:2]
        if len(code) == 2 and _HEX.issuperset(code.lower()):
            raw += bytes((int(code, 16),)) + tail[2:].encode("utf-8", "surrogateescape")
        else:
            raw += b"\\x" + tail.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "surrogateescape")


def _unit_in(groups: list[str], line: str) -> Unit | None:
    scope, slice_, manager = "system", None, None
    for group in groups:
        name = group.removeprefix("_")  # cg_escape() of systemd: keeps clear of the kernel's own file names
        if not name or name == "..":
            continue
        if name.endswith(".slice"):
            slice_ = name
        elif not name.endswith(_UNIT_SUFFIXES) or name.startswith("."):
            break
        elif manager is None and name.startswith("user@") and name.endswith(".service"):
            manager = Unit(name, "system", slice_, (Evidence("cgroup", line),))
            scope, slice_ = "user", None
        elif _foreign(name):
            return None
        else:
            return Unit(name, scope, slice_, (Evidence("cgroup", line),))
    return manager


def _foreign(name: str) -> bool:
    """Whether a scope is a login session's, a container's or a virtual machine's."""
    if not name.endswith(".scope"):
        return False
    return name.startswith(("session-", "machine-")) or _container_at([name], 0, name, "") is not None
