"""Published ports: which container is behind a port of the machine, and which ports lead to a container.

Told by whoever forwards (`rules.publishing`), by the DNAT rules of nft and iptables, and by the engines. The programs
`nft` and `iptables-save` only read, are started for at most two seconds, and need root.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import ip_address

from homeport.errors import WireError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.owners import Container, Process, PublishedPort
from homeport.model.publishing import Forward, Published
from homeport.model.snapshot import Listener, Netns
from homeport.rules.cgroups import ContainerMark
from homeport.rules.publishing import FORWARDING, Forwarder, forwarder
from homeport.system import procfs
from homeport.system.addresses import addresses_of
from homeport.system.containment import Containment
from homeport.system.engines import Engines
from homeport.system.programs import output_of, refused

_MOST_PORTS = 4096
_MOST_DESCRIPTORS = 256
_MOST_PER_NAMESPACE = 64
_LONGEST_ANSWER = 1 << 20
_PATIENCE = 0.7


class Publishing:
    """Answers for one look; rules, engines and processes are read once, when they are first needed."""

    def __init__(self, engines: Engines | None = None) -> None:
        self._engines = Engines() if engines is None else engines
        self._containment = Containment(self._engines)
        self._limits: dict[str, None] = {}
        self._forwards: tuple[Forward, ...] | None = None
        self._by_netns: dict[int, ContainerMark | None] | None = None
        self._pid_in: dict[int, int] = {}
        self._by_address: dict[IPAddress, ContainerMark | None] | None = None

    @property
    def limits(self) -> tuple[str, ...]:
        """In a line each, what could not be read or did not answer."""
        return tuple(dict.fromkeys((*self._limits, *self._engines.limits)))

    def behind(self, listener: Listener) -> Published | None:
        """What a listener only holds for somebody else; None where its owner is no forwarder of containers."""
        for owner in listener.owners:
            found = forwarder(owner.process)
            if found is not None:
                return self._behind(listener, owner.process, found)
        return None

    def held_by(self, process: Process) -> Container | None:
        """The container for which a process forwards, as far as that can be told without a port of it."""
        found = forwarder(process)
        if found is None:
            return None
        return self._container_of(found, process, found.forwards[0] if found.forwards else None)

    def published_ports(self) -> list[Published]:
        """Every port of the machine that leads to a container, whether or not anything listens on it."""
        found: dict[tuple[Protocol, IPAddress | None, int], Published] = {}
        for one in (*self._by_rules(), *self._by_engines(), *self._by_forwarders()):
            key = (one.protocol, one.host_address, one.host_port)
            found[key] = _merged(found[key], one) if key in found else one
        return sorted(found.values(), key=lambda one: (one.host_port, one.protocol, str(one.host_address or "")))

    def published_to(self, container: Container, protocol: Protocol, port: int) -> list[Published]:
        """The ports of the machine that lead to a port of a container."""
        return [
            one
            for one in self.published_ports()
            if one.container is not None
            and (one.container.id, one.protocol, one.target_port) == (container.id, protocol, port)
        ]

    def _behind(self, listener: Listener, process: Process, found: Forwarder) -> Published:
        socket = listener.socket
        own = [*found.forwards, *_slirp_forwards(found)]
        rules = () if own or found.kind != "conmon" else self._rules()
        forward = next(
            (one for one in (*own, *rules) if one.covers(socket.protocol, socket.address, socket.port)), None
        )
        container = self._container_of(found, process, forward) or self._publisher(listener)
        target_port = forward.target_of(socket.port) if forward else None
        if container is not None and target_port is None:
            target_port = next((one.container_port for one in container.ports if _is(one, listener)), None)
        host = None if socket.address.is_unspecified else socket.address
        if container is not None and target_port is not None and not container.ports:
            port = PublishedPort(socket.protocol.value, str(host) if host else None, socket.port, target_port)
            container = container._replace(ports=(port,))
        evidence = [found.evidence]
        if forward is not None and forward.evidence not in evidence:
            evidence.append(forward.evidence)
        if container is not None:
            evidence += [one for one in container.evidence if one not in evidence]
        return Published(
            protocol=socket.protocol,
            host_address=host,
            host_port=socket.port,
            target_address=forward.target_address if forward else None,
            target_port=target_port,
            container=container,
            via=found.kind,
            conditions=forward.conditions if forward else (),
            evidence=tuple(evidence),
        )

    def _container_of(self, found: Forwarder, process: Process, forward: Forward | None) -> Container | None:
        """The container of a forwarder, by the first that tells: its arguments, its pipe, its namespace, its target."""
        identity = found.container_id or _conmon_on_same_pipe(found, process)
        if identity is not None:
            return self._engines.describe(ContainerMark(found.engine, identity, found.evidence))
        mark = self._in_namespace(found, process)
        if mark is not None:
            return self._engines.describe(mark)
        return None if forward is None else self._target(forward)

    def _target(self, forward: Forward) -> Container | None:
        """The container that a rule or an argument leads to."""
        if forward.container_id is not None:
            return self._engines.describe(ContainerMark("podman", forward.container_id, forward.evidence))
        if forward.target_address is None:
            return None
        known = self._engines.at_address(forward.target_address)
        mark = self._addresses().get(forward.target_address) if known is None else None
        return known if mark is None else self._engines.describe(mark)

    def _publisher(self, listener: Listener) -> Container | None:
        """The one container for which an engine says that it publishes this very port."""
        found = [one for one in self._engines.containers() if any(_is(port, listener) for port in one.ports)]
        return found[0] if len(found) == 1 else None

    def _in_namespace(self, found: Forwarder, process: Process) -> ContainerMark | None:
        """rootlessport goes into its container's network namespace; pasta and slirp4netns are given its path."""
        inodes = [_inode(f"/proc/{process.pid}/ns/net")]
        if found.netns is not None:
            inodes += [_inode(f"/proc/{process.pid}/root{found.netns}"), _inode(found.netns)]
        own = _inode("/proc/self/ns/net")
        for inode in inodes:
            if inode is not None and inode != own and (mark := self._namespaces().get(inode)) is not None:
                return mark
        return None

    def _namespaces(self) -> dict[int, ContainerMark | None]:
        """Which container is in a network namespace; None where several are (a pod)."""
        if self._by_netns is None:
            self._by_netns = {}
            own = _inode("/proc/self/ns/net")
            looked: dict[int, int] = {}
            for pid in procfs.all_pids():
                inode = _inode(f"/proc/{pid}/ns/net")
                if inode is None or inode == own or looked.get(inode, 0) >= _MOST_PER_NAMESPACE:
                    continue
                process = procfs.read_process(pid)
                if process is None or forwarder(process) is not None:
                    continue
                looked[inode] = looked.get(inode, 0) + 1
                mark = self._containment.mark_of(process)
                if mark is not None:
                    self._pid_in.setdefault(inode, pid)
                    known = self._by_netns.setdefault(inode, mark)
                    if known is not None and known.id != mark.id:
                        self._by_netns[inode] = None
        return self._by_netns

    def _addresses(self) -> dict[IPAddress, ContainerMark | None]:
        """Which container has an address; None where several have it."""
        if self._by_address is None:
            self._by_address = {}
            for inode, mark in self._namespaces().items():
                for address in addresses_of(Netns(inode, None, self._pid_in[inode], False)):
                    if not address.is_loopback and not address.is_link_local:
                        known = self._by_address.setdefault(address, mark)
                        self._by_address[address] = mark if known == mark else None
        return self._by_address

    def _rules(self) -> tuple[Forward, ...]:
        if self._forwards is None:
            self._forwards = tuple(self._read_rules())
        return self._forwards

    def _read_rules(self) -> Iterator[Forward]:
        from homeport.system.firewall import unread
        from homeport.wire import nft_nat

        text, wrong = output_of("nft", "-j", "list", "ruleset")
        opaque = text is None and not refused(wrong)
        if text is None:
            self._limits[unread("DNAT rules of nft", wrong)] = None
        else:
            try:
                rules = nft_nat.nft(text)
            except WireError:
                self._limits["DNAT rules of nft were not read: nft answered something else than JSON"] = None
                opaque = True
            else:
                yield from rules.forwards
                opaque = rules.opaque
        for family in ("ip", "ip6"):
            programs = [f"{family}tables-nft-save"] if opaque else []
            # Asking the legacy program makes the kernel load its table, where there is none.
            if "nat" in (procfs.read_text(f"/proc/net/{family}_tables_names") or "").split():
                programs.append(f"{family}tables-legacy-save")
            for program in programs:
                text, wrong = output_of(program, "-t", "nat")
                if text is None:
                    self._limits[unread("DNAT rules of iptables", wrong)] = None
                else:
                    yield from nft_nat.iptables(text.decode("utf-8", "replace"))

    def _by_rules(self) -> Iterator[Published]:
        for rule in self._rules():
            yield from self._expanded(rule, self._target(rule), "DNAT rule")

    def _by_forwarders(self) -> Iterator[Published]:
        for pid in procfs.all_pids():
            process = procfs.read_process(pid) if _may_forward(pid) else None
            found = forwarder(process) if process is not None else None
            if process is None or found is None:
                continue
            for forward in (*found.forwards, *_slirp_forwards(found)):
                yield from self._expanded(forward, self._container_of(found, process, forward), found.kind)

    def _expanded(self, forward: Forward, container: Container | None, via: str) -> Iterator[Published]:
        if forward.last - forward.first >= _MOST_PORTS:
            text = f"ports {forward.first} to {forward.last} of {forward.evidence.text!r}"
            self._limits[f"{text}: only the first {_MOST_PORTS} are listed"] = None
        evidence = (forward.evidence, *(container.evidence if container is not None else ()))
        for port in range(forward.first, min(forward.last, forward.first + _MOST_PORTS - 1) + 1):
            yield Published(
                protocol=forward.protocol,
                host_address=forward.address,
                host_port=port,
                target_address=forward.target_address,
                target_port=forward.target_of(port),
                container=container,
                via=via,
                conditions=forward.conditions,
                evidence=tuple(dict.fromkeys(evidence)),
            )

    def _by_engines(self) -> Iterator[Published]:
        for container in self._engines.containers():
            for port in container.ports:
                if port.protocol in ("tcp", "udp"):
                    yield Published(
                        protocol=Protocol(port.protocol),
                        host_address=_host(port.host_address),
                        host_port=port.host_port,
                        target_address=None,
                        target_port=port.container_port,
                        container=container,
                        via=container.engine,
                        conditions=(),
                        evidence=container.evidence,
                    )


def _merged(one: Published, other: Published) -> Published:
    """Two statements about one port: whoever knows more of a thing says it."""
    container = one.container or other.container
    if other.container is not None and container is not None and not container.ports:
        container = other.container
    return one._replace(
        target_address=one.target_address or other.target_address,
        target_port=one.target_port or other.target_port,
        container=container,
        via=one.via if other.via in one.via.split(", ") else f"{one.via}, {other.via}",
        conditions=one.conditions or other.conditions,
        evidence=tuple(dict.fromkeys((*one.evidence, *other.evidence))),
    )


def _host(text: str | None) -> IPAddress | None:
    """An engine's host address; empty and unspecified ones are every address."""
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    return None if address.is_unspecified else address


def _is(port: PublishedPort, listener: Listener) -> bool:
    """Whether a published port is what a listener holds."""
    socket, host = listener.socket, _host(port.host_address)
    if (port.protocol, port.host_port) != (socket.protocol.value, socket.port):
        return False
    return host is None or host == socket.address or socket.address.is_unspecified


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino
    except (OSError, ValueError):  # gone, not ours to read, or not visible from here
        return None


def _may_forward(pid: int) -> bool:
    name = (procfs.read_text(f"/proc/{pid}/comm", 64) or "").strip()
    return name.startswith(FORWARDING) and name != "conmon"  # which tells nothing of ports


def _pipes(pid: int) -> set[str]:
    """The pipes that a process holds, as /proc/PID/fd names them."""
    found: set[str] = set()
    try:
        names = os.listdir(f"/proc/{pid}/fd")[:_MOST_DESCRIPTORS]
    except OSError:  # ended, or not ours to read
        return found
    for name in names:
        target = procfs.read_link(f"/proc/{pid}/fd/{name}")
        if target is not None and target.startswith("pipe:"):
            found.add(target)
    return found


def _conmon_on_same_pipe(found: Forwarder, process: Process) -> str | None:
    """Podman gives rootless forwarders a pipe to their container's conmon, so that they end with it.

    The pipe is theirs alone: one that several conmons hold (an inherited standard output) says nothing.
    """
    if found.kind not in ("rootlessport", "slirp4netns"):
        return None
    mine = _pipes(process.pid)
    holders: dict[str, set[str]] = {}
    for pid in procfs.all_pids() if mine else ():
        if (procfs.read_text(f"/proc/{pid}/comm", 64) or "").strip() != "conmon":
            continue
        parent = procfs.read_process(pid)
        monitor = forwarder(parent) if parent is not None else None
        if monitor is not None and monitor.container_id is not None:
            for pipe in _pipes(pid) & mine:
                holders.setdefault(pipe, set()).add(monitor.container_id)
    certain = {next(iter(one)) for one in holders.values() if len(one) == 1}
    return next(iter(certain)) if len(certain) == 1 else None


def _slirp_forwards(found: Forwarder) -> list[Forward]:
    """The ports that slirp4netns lists by its own API (slirp4netns(1), "list_hostfwd")."""
    if found.api is None:
        return []
    import json
    import socket
    import time

    deadline, raw = time.monotonic() + _PATIENCE, b""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(found.api)
            connection.sendall(b'{"execute": "list_hostfwd"}')
            connection.shutdown(socket.SHUT_WR)
            while len(raw) < _LONGEST_ANSWER and (left := deadline - time.monotonic()) > 0:
                connection.settimeout(left)
                piece = connection.recv(65_536)
                raw += piece
                if not piece:
                    break
        entries = json.loads(raw)["entries"]
        return [one for entry in entries if (one := _slirp_forward(entry, found)) is not None]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        # Gone, not ours to ask, or another version's answer: its ports stay unknown, its container does not.
        return []


def _slirp_forward(entry: dict[str, object], found: Forwarder) -> Forward | None:
    port, target = entry.get("host_port"), entry.get("guest_port")
    proto = entry.get("proto")
    if not isinstance(port, int) or not isinstance(target, int) or proto not in ("tcp", "udp"):
        return None
    if not (0 < port < 65_536 and 0 < target < 65_536):
        return None
    evidence = Evidence(f"list_hostfwd of slirp4netns at {found.api}", f"{proto} {port} leads to {target}")
    host = _host(str(entry.get("host_addr")))
    return Forward(
        Protocol(proto), host, port, port, _host(str(entry.get("guest_addr"))), target, False, None, (), evidence
    )
