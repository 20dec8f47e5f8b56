"""Sockets from sock_diag(7), namespace by namespace; from /proc/net where the kernel lacks a diag module."""

from __future__ import annotations

import errno
import os
import socket as sockets

from homeport.errors import WireError
from homeport.lean import NamedTuple
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.snapshot import Netns, Query
from homeport.model.sockets import Socket
from homeport.system import namespaces, procfs
from homeport.wire import proc, sock_diag

_NETLINK_SOCK_DIAG = 4
_BUFFER = 1 << 18
_MOST_BUFFERS = 1 << 14  # 4 GiB of records: a kernel that never ends its dump is left
_FAMILIES = (sock_diag.AF_INET, sock_diag.AF_INET6)
_NO_MODULE = (errno.ENOENT, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT)


class Dump(NamedTuple):
    """The sockets of the namespaces asked for, and in a line each what could not be seen."""

    sockets: list[Socket]
    limits: list[str]


def missing() -> str | None:
    """Why sock_diag cannot be asked here, or None."""
    if not hasattr(sockets, "AF_NETLINK"):
        return "this system has no netlink"
    try:
        _open().close()
    except OSError as error:
        return f"netlink sockets cannot be opened: {error.strerror}"
    return None


_NAMED = 16
"""So many of the namespaces that cannot be entered are named."""


def dump(query: Query, netns: tuple[Netns, ...], known: frozenset[int] = frozenset()) -> Dump:
    """The sockets of `netns` that `query` asks for, less those whose inode is already `known` to the caller."""
    asker = _Asker(query, known)
    found: list[Socket] = []
    others = []
    closed: dict[str, list[str]] = {}
    for one in netns:
        if one.own:
            found += asker.here(one)
        elif one.inode is None:
            found += asker.tables(one, f"/proc/{one.pid}/net")
        else:
            others.append(one)
    for one, answer in namespaces.inside(others, asker.here).items() if others else ():
        if not isinstance(answer, OSError):
            found += answer
        elif one.pid is not None:
            found += asker.tables(one, f"/proc/{one.pid}/net")
        else:
            closed.setdefault(answer.strerror or str(answer), []).append(str(one.name or one.inode))
    for why, names in closed.items():
        which = f"network namespace{'s' if len(names) > 1 else ''} {', '.join(names[:_NAMED])}"
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        asker.limits.append(f"{which}{more} cannot be entered: {why}")
    return Dump(found, list(dict.fromkeys(asker.limits)))


class _Asker:
    """Asks sock_diag, and reads the tables of /proc/net where it does not answer."""

    def __init__(self, query: Query, known: frozenset[int]) -> None:
        self.limits: list[str] = []
        self._query = query
        self._known = known
        self._silent = False  # once netlink has kept this process waiting, it is not asked again

    def here(self, netns: Netns) -> list[Socket]:
        """The sockets of the namespace that the calling thread is in."""
        found: list[Socket] = []
        for protocol in sorted(self._query.protocols):
            for family in _FAMILIES:
                rows = None if self._silent else self._diag(protocol, family, netns)
                found += self._table(protocol, family, netns, "/proc/thread-self/net") if rows is None else rows
        return _with_zones(found)

    def tables(self, netns: Netns, folder: str) -> list[Socket]:
        """The sockets of a namespace that cannot be entered, through one of its processes."""
        return [
            one
            for protocol in sorted(self._query.protocols)
            for family in _FAMILIES
            for one in self._table(protocol, family, netns, folder)
        ]

    def _diag(self, protocol: Protocol, family: int, netns: Netns) -> list[Socket] | None:
        """One dump; None where the kernel has no diag module for the protocol, or does not answer well."""
        found: list[Socket] = []
        try:
            with _open() as channel:
                error = self._receive(channel, protocol, family, netns, found)
        except (OSError, WireError) as problem:
            self._silent = self._silent or isinstance(problem, TimeoutError)
            error, why = errno.EIO, str(problem)
        else:
            why = os.strerror(error)
        if error:
            if error not in _NO_MODULE:
                self.limits.append(f"sock_diag did not tell all {protocol} sockets: {why}; /proc/net was read instead")
            return found if found and not procfs.available() else None
        if self._known:
            found = [one for one in found if one.inode not in self._known]
        return self._asked(found)

    def _receive(
        self, channel: sockets.socket, protocol: Protocol, family: int, netns: Netns, found: list[Socket]
    ) -> int:
        """Add what the kernel tells to `found`; the errno that it ended with, or 0. Raises OSError, WireError."""
        ports = self._query.ports
        span = (min(ports), max(ports)) if ports else None
        addresses: dict[bytes, IPAddress] = {}
        channel.send(sock_diag.request(family, protocol, connections=self._query.connections, ports=span))
        for _ in range(_MOST_BUFFERS):
            data = channel.recv(_BUFFER)
            if not data:
                raise WireError("the kernel closed the conversation")
            known = self._known
            if known and (numbers := sock_diag.inodes(data)) is not None and numbers <= known:
                continue
            batch = sock_diag.decode(data, protocol, netns.inode, addresses)
            found += batch.sockets
            if batch.interrupted:
                self.limits.append("the kernel's socket tables changed during the look: a socket may be missing")
            if batch.error:
                return batch.error
            if batch.done:
                return 0
        raise WireError("the kernel does not end its answer")

    def _table(self, protocol: Protocol, family: int, netns: Netns, folder: str) -> list[Socket]:
        path = f"{folder}/{protocol}{'6' if family == sock_diag.AF_INET6 else ''}"
        text = procfs.read_text(path, most=1 << 28)
        if text is None:
            if folder.startswith(f"/proc/{netns.pid}/") and procfs.start_ticks(netns.pid or 0) is None:
                which = netns.name or netns.inode or "that may not be read"
                self.limits.append(f"network namespace {which} was not looked into: its process {netns.pid} has ended")
            elif family == sock_diag.AF_INET:  # a kernel without IPv6 has no second table
                self.limits.append(f"{protocol} sockets cannot be read: neither sock_diag nor {path}")
            return []
        try:
            rows = proc.net_table(text, protocol, netns.inode, connections=self._query.connections)
        except WireError as error:
            self.limits.append(f"{path} cannot be read: {error}")
            return []
        return self._asked([one for one in rows if one.inode not in self._known] if self._known else rows)

    def _asked(self, found: list[Socket]) -> list[Socket]:
        ports = self._query.ports
        return found if ports is None else [one for one in found if one.port in ports]


def _with_zones(found: list[Socket]) -> list[Socket]:
    """Link-local addresses with their zone (RFC 4007 §11), named by the namespace that the caller is in."""
    from ipaddress import IPv6Address

    for index, one in enumerate(found):
        if one.interface is not None and one.address.version == 6 and one.address.is_link_local:
            try:
                zone = sockets.if_indextoname(one.interface)
            except OSError:  # the interface went away: its number is a zone too
                zone = str(one.interface)
            found[index] = one._replace(address=IPv6Address(f"{one.address}%{zone}"))
    return found


def _open() -> sockets.socket:
    channel = sockets.socket(sockets.AF_NETLINK, sockets.SOCK_RAW | sockets.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
    channel.settimeout(5)
    return channel
