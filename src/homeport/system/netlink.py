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


def dump(query: Query, netns: tuple[Netns, ...], known: frozenset[int] = frozenset()) -> Dump:
    """The sockets of `netns` that `query` asks for, less those whose inode is already `known` to the caller."""
    found: list[Socket] = []
    limits: list[str] = []
    others = []
    for one in netns:
        if one.own:
            found += _here(query, one, known, limits)
        elif one.inode is None:
            found += _tables(query, one, f"/proc/{one.pid}/net", limits)
        else:
            others.append(one)
    if others:
        for one, answer in namespaces.inside(others, lambda one: _here(query, one, known, limits)).items():
            if not isinstance(answer, OSError):
                found += answer
            elif one.pid is not None:
                found += _tables(query, one, f"/proc/{one.pid}/net", limits)
            else:
                limits.append(
                    f"network namespace {one.name or one.inode} cannot be entered: {answer.strerror or answer}"
                )
    return Dump(found, limits)


def _here(query: Query, netns: Netns, known: frozenset[int], limits: list[str]) -> list[Socket]:
    found: list[Socket] = []
    for protocol in sorted(query.protocols):
        for family in _FAMILIES:
            rows = _diag(query, protocol, family, netns, known, limits)
            if rows is None:
                rows = _table(query, protocol, family, netns, "/proc/thread-self/net", limits)
            found += rows
    return _with_zones(found)


def _diag(
    query: Query, protocol: Protocol, family: int, netns: Netns, known: frozenset[int], limits: list[str]
) -> list[Socket] | None:
    """One dump; None where the kernel has no diag module for the protocol."""
    span = (min(query.ports), max(query.ports)) if query.ports else None
    addresses: dict[bytes, IPAddress] = {}
    found: list[Socket] = []
    try:
        channel = _open()
    except OSError:  # no netlink in this kernel: /proc/net tells most of it
        return None
    with channel:
        try:
            channel.send(sock_diag.request(family, protocol, connections=query.connections, ports=span))
            for _ in range(_MOST_BUFFERS):
                data = channel.recv(_BUFFER)
                if known and (numbers := sock_diag.inodes(data)) is not None and numbers <= known:
                    continue
                batch = sock_diag.decode(data, protocol, netns.inode, addresses)
                if batch.error in _NO_MODULE:
                    return None
                if batch.error:
                    limits.append(f"sock_diag for {protocol} was refused: {os.strerror(batch.error)}")
                found += batch.sockets
                if batch.interrupted:
                    limits.append("the kernel's socket tables changed during the look: a socket may be missing")
                if batch.done:
                    break
        except (OSError, WireError) as error:
            limits.append(f"sock_diag for {protocol} stopped early: {error}")
    if known:
        found = [one for one in found if one.inode not in known]
    return found if query.ports is None else [one for one in found if one.port in query.ports]


def _table(query: Query, protocol: Protocol, family: int, netns: Netns, folder: str, limits: list[str]) -> list[Socket]:
    path = f"{folder}/{protocol}{'6' if family == sock_diag.AF_INET6 else ''}"
    text = procfs.read_text(path, most=1 << 28)
    if text is None:
        if family == sock_diag.AF_INET:  # a kernel without IPv6 has no second table
            limits.append(f"{protocol} sockets cannot be read: neither sock_diag nor {path}")
        return []
    try:
        rows = proc.net_table(text, protocol, netns.inode, connections=query.connections)
    except WireError as error:
        limits.append(f"{path} cannot be read: {error}")
        return []
    return rows if query.ports is None else [one for one in rows if one.port in query.ports]


def _tables(query: Query, netns: Netns, folder: str, limits: list[str]) -> list[Socket]:
    """The tables of a namespace that cannot be entered, through one of its processes."""
    return [
        one
        for protocol in sorted(query.protocols)
        for family in _FAMILIES
        for one in _table(query, protocol, family, netns, folder, limits)
    ]


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
