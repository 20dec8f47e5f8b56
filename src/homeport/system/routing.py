"""Interfaces and routes of the caller's network namespace: by rtnetlink(7), elsewhere by psutil and connect(2)."""

from __future__ import annotations

import errno
import os
import socket as sockets
from collections.abc import Callable, Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from homeport.errors import SourceError, WireError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.explanation import Interface, Route
from homeport.model.reach import Inquiry
from homeport.wire import rtnetlink

_NETLINK_ROUTE = 0
_BUFFER = 1 << 18
_MOST_BUFFERS = 1 << 12  # a kernel that never ends its dump is left
_ATTEMPTS = 3  # of a dump that the kernel says changed meanwhile
_SECONDS = 2.0
_IFF_UP = 1
_NUMBERS = {Protocol.TCP: sockets.IPPROTO_TCP, Protocol.UDP: sockets.IPPROTO_UDP}


def missing() -> str | None:
    """Why the kernel's routes cannot be asked for here, or None."""
    if not hasattr(sockets, "AF_NETLINK"):
        return "this system has no rtnetlink"
    try:
        _open().close()
    except OSError as error:
        return f"rtnetlink cannot be opened: {error.strerror}"
    return None


def interfaces() -> tuple[Interface, ...]:
    """Every interface with its addresses. Raises SourceError where neither rtnetlink nor psutil can tell."""
    if missing() is not None:
        return _portable_interfaces()
    try:
        links = {one.interface: one for batch in _dump(rtnetlink.links_request) for one in batch.links}
        found: dict[int, list[rtnetlink.LinkAddress]] = {index: [] for index in links}
        for batch in _dump(rtnetlink.addresses_request):
            for one in batch.addresses:
                found.setdefault(one.interface, []).append(one)
    except (OSError, WireError) as error:
        raise SourceError("the interfaces cannot be listed", why=str(error)) from error
    return tuple(
        Interface(
            index=index,
            name=link.name,
            addresses=tuple(ip_interface(f"{one.address}/{one.prefix}") for one in some),
            broadcasts=tuple(one.broadcast for one in some if one.broadcast is not None),
            kind=link.kind,
            master=link.master,
            peer=link.peer,
            peer_netns=link.peer_netns,
            up=bool(link.flags & _IFF_UP) if index in links else None,
        )
        for index, some in found.items()
        # an address without an interface: made between the two dumps
        for link in (links.get(index) or rtnetlink.Link(index, str(index)),)
    )


def route(destination: IPAddress, service: tuple[Protocol, int] | None = None, *, mark: int = 0) -> Route:
    """The route that a packet from here to `destination` takes, or the kernel's error. It sends nothing.

    `service` tells its port, too, and `mark` what rules of the firewall wrote on it: there are rules that choose the
    way by these (ip-rule(8), `dport` and `fwmark`).
    """
    if missing() is not None:
        return _portable_route(destination)
    zone = getattr(destination, "scope_id", None)
    index = None
    if zone is not None:
        index = _index(zone)
        if index is None:
            return _no_route(destination, f"no interface is called {zone}")
    number = None if service is None else (_NUMBERS[service[0]], service[1])
    return _asked(destination, rtnetlink.route_request(destination, 1, index, mark=mark or None, service=number))


def route_of(asked: Inquiry) -> Route:
    """What the kernel does with a packet of this namespace, or with one that comes in there by `asked.incoming`.

    For IPv4 that has in it whether the kernel would drop it for its source (rp_filter), take it as a martian, or not
    forward it: these are errors then. It sends nothing.
    """
    if missing() is not None:
        return _portable_route(asked.destination)
    indexes = []
    for name in (asked.incoming, asked.outgoing):
        index = None if name is None else _index(name)
        if name is not None and index is None:
            return _no_route(asked.destination, f"no interface is called {name}")
        indexes.append(index)
    service = None if asked.protocol is None or asked.port is None else (_NUMBERS[asked.protocol], asked.port)
    request = rtnetlink.route_request(
        asked.destination, 1, indexes[1], source=asked.source, incoming=indexes[0], mark=asked.mark or None,
        service=service, source_port=asked.source_port, uid=asked.uid,
    )  # fmt: skip
    return _asked(asked.destination, request)


def netns_id(descriptor: int) -> int | None:
    """By which number this namespace knows the one of an open descriptor; None where it knows none of it."""
    try:
        with _open() as channel:
            channel.sendto(rtnetlink.netns_id_request(descriptor, 1), (0, 0))
            return rtnetlink.netns_id(_receive(channel))
    except (OSError, WireError):  # no such kernel: then it cannot be told apart by that
        return None


def _asked(destination: IPAddress, request: bytes) -> Route:
    try:
        # the answer to a single request has no end mark: it is the first message
        batch = _ask(request)
    except (OSError, WireError) as error:
        return _no_route(destination, str(error))
    if batch.error is not None:
        return _no_route(destination, os.strerror(batch.error))
    if not batch.routes:
        return _no_route(destination, "the kernel gave no route")
    one = batch.routes[0]
    return Route(
        destination=destination,
        kind=one.kind,
        interface=None if one.interface is None else _name(one.interface),
        source=one.source,
        gateway=one.gateway,
        error=None,
    )


def _no_route(destination: IPAddress, why: str) -> Route:
    return Route(destination=destination, kind=None, interface=None, source=None, gateway=None, error=why)


def _ask(request: bytes) -> rtnetlink.Batch:
    with _open() as channel:
        channel.sendto(request, (0, 0))
        return rtnetlink.decode(_receive(channel), 1)


def _dump(request: Callable[[int], bytes]) -> list[rtnetlink.Batch]:
    """The buffers of a dump, taken again if the kernel's tables changed while it was made."""
    batches: list[rtnetlink.Batch] = []
    for sequence in range(1, _ATTEMPTS + 1):
        with _open() as channel:
            channel.sendto(request(sequence), (0, 0))
            batches = list(_batches(channel, sequence))
        if not any(one.interrupted for one in batches):
            break
    return batches


def _batches(channel: sockets.socket, sequence: int) -> Iterator[rtnetlink.Batch]:
    for _ in range(_MOST_BUFFERS):
        batch = rtnetlink.decode(_receive(channel), sequence)
        if batch.error is not None:
            raise OSError(batch.error, os.strerror(batch.error))
        yield batch
        if batch.done:
            return


def _receive(channel: sockets.socket) -> bytes:
    """A buffer from the kernel; what another process sends to this socket is not an answer."""
    for _ in range(_MOST_BUFFERS):
        data, sender = channel.recvfrom(_BUFFER)
        if sender[0] == 0:
            return data
    raise OSError(errno.EPROTO, "other processes keep writing to this netlink socket")


def _open() -> sockets.socket:
    channel = sockets.socket(sockets.AF_NETLINK, sockets.SOCK_RAW | sockets.SOCK_CLOEXEC, _NETLINK_ROUTE)
    channel.settimeout(_SECONDS)
    return channel


def _index(zone: str) -> int | None:
    if zone.isascii() and zone.isdigit() and len(zone) < 10:
        return int(zone)
    try:
        return sockets.if_nametoindex(zone)
    except (OSError, ValueError):  # there is none of that name, or there cannot be
        return None


def _name(index: int) -> str:
    try:
        return sockets.if_indextoname(index)
    except OSError:  # it went away meanwhile
        return str(index)


def _portable_interfaces() -> tuple[Interface, ...]:
    import psutil

    families = (sockets.AF_INET, sockets.AF_INET6)
    try:
        every = psutil.net_if_addrs()
    except OSError as error:
        raise SourceError("the interfaces cannot be listed", why=str(error)) from error
    return tuple(
        Interface(
            index=_index(name),
            name=name,
            addresses=tuple(_with_mask(one.address, one.netmask) for one in some if one.family in families),
            broadcasts=tuple(ip_address(one.broadcast) for one in some if one.family in families and one.broadcast),
        )
        for name, some in every.items()
    )


def _with_mask(address: str, mask: str | None) -> IPv4Interface | IPv6Interface:
    plain = address.partition("%")[0]
    bits = None if mask is None else bin(int(ip_address(mask.partition("%")[0]))).count("1")
    return ip_interface(plain if bits is None else f"{plain}/{bits}")


def _portable_route(destination: IPAddress) -> Route:
    """The source address that the system chooses; connect(2) on a datagram socket sends nothing."""
    family = sockets.AF_INET if destination.version == 4 else sockets.AF_INET6
    try:
        with sockets.socket(family, sockets.SOCK_DGRAM) as channel:
            channel.connect((str(destination), 9))
            source = ip_address(channel.getsockname()[0])
    except OSError as error:
        return _no_route(destination, error.strerror or str(error))
    owner = next((one.name for one in _portable_interfaces() if any(each.ip == source for each in one.addresses)), None)
    return Route(destination=destination, kind=None, interface=owner, source=source, gateway=None, error=None)
