"""Processes that hold a port of the machine for a container: who they are, by their own command lines.

    docker-proxy    -container-ip, -container-port, -host-ip, -host-port: everything is told
    conmon          -c ID: Podman lets it keep the sockets, so that nobody else takes the ports; packets go by DNAT
    pasta, passt    -t and -u list the ports, --netns the container's network namespace (passt(1))
    slirp4netns     --api-socket …/ID.net under Podman; its own API lists the ports (slirp4netns(1))
    rootlessport    nothing but a pipe that it shares with its container's conmon
    rootlesskit     -p for its own ports; those of rootless Docker only the engine knows

`ssh -L` and its like lead elsewhere too, but to no container of this machine. Another forwarder: a function and a line
in `_FORWARDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.owners import Process
from homeport.model.publishing import Forward
from homeport.rules.cgroups import ContainerMark

_HEX = frozenset("0123456789abcdef")
_PROTOCOLS = {"tcp": Protocol.TCP, "udp": Protocol.UDP}
_MOST_ARGUMENTS = 4096
_LONGEST_EVIDENCE = 400
FORWARDING = ("conmon", "docker-proxy", "rootlessport", "rootlesskit", "slirp4netns", "pasta", "passt")
"""Beginnings of the names (comm, proc(5)) of the processes of Linux that `forwarder` may recognise."""


class Forwarder(NamedTuple):
    """A process that forwards. `container_id`, `netns` (a path) and `api` (a socket's path) where its arguments tell.

    `engine` is the one that starts it, "unknown" if several do.
    """

    kind: str
    engine: str
    container_id: str | None
    netns: str | None
    api: str | None
    forwards: tuple[Forward, ...]
    evidence: Evidence


def forwarder(process: Process) -> Forwarder | None:
    """What a process forwards, if it is one of those that do so for containers."""
    arguments = process.cmdline
    if not arguments:
        return None
    kind = _base(arguments[0])
    read = _FORWARDERS.get(kind) or _FORWARDERS.get(kind := kind.partition(".")[0])
    if read is None:
        return None
    evidence = Evidence(f"/proc/{process.pid}/cmdline", " ".join((kind, *arguments[1:]))[:_LONGEST_EVIDENCE])
    return read(kind, arguments[1:_MOST_ARGUMENTS], evidence)


def monitored_by(ancestors: Sequence[Process]) -> ContainerMark | None:
    """The container whose monitor is among a process's ancestors, where its control group names none.

    conmon and containerd's shim are parents of exactly one container's processes, but also of their own helpers: the
    caller makes sure that the process has namespaces of its own.
    """
    for parent in ancestors:
        arguments = parent.cmdline or ()
        name = _base(arguments[0]) if arguments else ""
        if name == "conmon":
            engine, identity = "podman", _value(arguments[1:], ("-c", "--cid"))
        elif name.startswith("containerd-shim"):
            engine, identity = "containerd", _value(arguments[1:], ("-id", "--id"))
            if _value(arguments[1:], ("-namespace", "--namespace")) == "moby":
                engine = "docker"
        else:
            continue
        if _is_id(identity):
            evidence = Evidence(f"/proc/{parent.pid}/cmdline", f"{name} of container {identity} started it")
            return ContainerMark(engine, str(identity), evidence)
    return None


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _is_id(text: str | None) -> bool:
    return text is not None and len(text) == 64 and _HEX.issuperset(text)


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every word with what follows it, `--name=value` taken apart."""
    for index, word in enumerate(arguments):
        name, found, value = word.partition("=")
        if found and name.startswith("-"):
            yield name, value
        else:
            yield word, arguments[index + 1] if index + 1 < len(arguments) else ""


def _value(arguments: Sequence[str], names: tuple[str, ...]) -> str | None:
    return next((value for name, value in _options(arguments) if name in names), None)


def _address(text: str | None) -> IPAddress | None:
    try:
        found = ip_address((text or "").strip("[]"))
    except ValueError:  # empty, or no address: every one
        return None
    return None if found.is_unspecified else found


def _port(text: str | None) -> int | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 6):
        return None
    return int(text) if 0 < int(text) < 65_536 else None


def _docker_proxy(kind: str, arguments: Sequence[str], evidence: Evidence) -> Forwarder:  # noqa: ARG001
    def value(name: str) -> str | None:
        return _value(arguments, (f"-{name}", f"--{name}"))

    port, forwards = _port(value("host-port")), []
    protocol = _PROTOCOLS.get(value("proto") or "tcp")
    if port is not None and protocol is not None:
        target, target_port = _address(value("container-ip")), _port(value("container-port"))
        host = _address(value("host-ip"))
        forwards.append(Forward(protocol, host, port, port, target, target_port, False, None, (), evidence))
    return Forwarder("docker-proxy", "docker", None, None, None, tuple(forwards), evidence)


def _conmon(kind: str, arguments: Sequence[str], evidence: Evidence) -> Forwarder:
    identity = _value(arguments, ("-c", "--cid"))
    if not _is_id(identity):
        return Forwarder(kind, "podman", None, None, None, (), evidence)
    # Of its forty arguments the one that counts.
    return Forwarder(kind, "podman", identity, None, None, (), evidence._replace(text=f"conmon -c {identity}"))


def _rootlessport(kind: str, arguments: Sequence[str], evidence: Evidence) -> Forwarder:  # noqa: ARG001
    return Forwarder("rootlessport", "podman", None, None, None, (), evidence)


def _pasta(kind: str, arguments: Sequence[str], evidence: Evidence) -> Forwarder:
    found: list[Forward] = []
    for names, protocol in ((("-t", "--tcp-ports"), Protocol.TCP), (("-u", "--udp-ports"), Protocol.UDP)):
        for name, value in _options(arguments):
            if name in names:
                found += _pasta_ports(value, protocol, evidence)
    netns = _value(arguments, ("--netns",))
    if netns is None and arguments and arguments[-1].startswith("/"):
        netns = arguments[-1]
    return Forwarder(kind, "podman" if kind == "pasta" else "passt", None, netns, None, tuple(found), evidence)


def _pasta_ports(spec: str, protocol: Protocol, evidence: Evidence) -> Iterator[Forward]:
    """`[ADDRESS[%INTERFACE]/]FIRST[-LAST][:TARGET[-LAST]],…` of passt(1); excluded ports (`~`) say nothing."""
    host, found, ports = spec.rpartition("/")
    address = _address(host.partition("%")[0]) if found else None
    if spec in ("all", "auto"):
        yield Forward(protocol, None, 1, 65_535, None, 1, True, None, (), evidence)
        return
    for part in ports.split(",")[:1024]:
        outer, _, inner = part.partition(":")
        first_text, _, last_text = outer.partition("-")
        first, last = _port(first_text), _port(last_text or first_text)
        target = _port(inner.partition("-")[0] or first_text)
        if first is not None and last is not None and first <= last:
            yield Forward(protocol, address, first, last, None, target, True, None, (), evidence)


def _slirp4netns(kind: str, arguments: Sequence[str], evidence: Evidence) -> Forwarder:
    api = _value(arguments, ("-a", "--api-socket"))
    stem = _base(api or "").removesuffix(".net")
    netns = next((word for word in reversed(arguments) if word.startswith("/") and word != api), None)
    return Forwarder(kind, "podman", stem if _is_id(stem) else None, netns, api, (), evidence)


def _rootlesskit(kind: str, arguments: Sequence[str], evidence: Evidence) -> Forwarder:
    found = []
    for name, value in _options(arguments):
        if name in ("-p", "--publish"):
            spec, _, proto = value.partition("/")
            *host, outer, inner = ["", *spec.rsplit(":", 2)] if spec.count(":") > 1 else ["", "", *spec.split(":", 1)]
            port, protocol = _port(outer), _PROTOCOLS.get((proto or "tcp").rstrip("46"))
            if port is not None and protocol is not None:
                address = _address(host[-1])
                found.append(Forward(protocol, address, port, port, None, _port(inner), False, None, (), evidence))
    return Forwarder(kind, "docker", None, None, None, tuple(found), evidence)


def _desktop(kind: str, arguments: Sequence[str], evidence: Evidence) -> Forwarder:  # noqa: ARG001
    """A virtual machine's port forwarder: only the engine in it knows which container."""
    return Forwarder(kind, "unknown", None, None, None, (), evidence)


_FORWARDERS: dict[str, Callable[[str, Sequence[str], Evidence], Forwarder]] = {
    "docker-proxy": _docker_proxy,
    "rootlesskit-docker-proxy": _docker_proxy,
    "conmon": _conmon,
    "rootlessport": _rootlessport,
    "rootlessport-child": _rootlessport,
    "pasta": _pasta,
    "passt": _pasta,
    "slirp4netns": _slirp4netns,
    "rootlesskit": _rootlesskit,
    "com.docker.backend": _desktop,
    "com.docker.vpnkit": _desktop,
    "vpnkit": _desktop,
    "gvproxy": _desktop,
    "limactl": _desktop,
    "OrbStack Helper": _desktop,
}
