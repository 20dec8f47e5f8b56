"""rtnetlink(7): requests for, and records of, interfaces, their addresses and routes (linux/rtnetlink.h).

Messages are in host byte order, addresses in network byte order. Unknown messages, attributes and route types of later
kernels are passed over, as netlink(7) asks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from homeport.errors import WireError
from homeport.model.addresses import IPAddress

AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 10

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP, _NLM_F_DUMP_INTR = 0x1, 0x300, 0x10
_RTM_NEWLINK, _RTM_GETLINK, _RTM_NEWADDR, _RTM_GETADDR, _RTM_NEWROUTE, _RTM_GETROUTE = 16, 18, 20, 22, 24, 26
_IFLA_IFNAME, _IFLA_LINK, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_LINK_NETNSID = 3, 5, 10, 18, 37
_IFLA_INFO_KIND = 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_RTA_UID, _RTA_IP_PROTO, _RTA_SPORT, _RTA_DPORT = 25, 27, 28, 29
_RTA_DST, _RTA_SRC, _RTA_IIF, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC, _RTA_MARK, _RTA_VIA = 1, 2, 3, 4, 5, 7, 16, 18
_RTM_NEWNSID, _RTM_GETNSID = 88, 90
_NETNSA_NSID, _NETNSA_FD = 1, 3
_NLA_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_HEADER = struct.Struct("=IHHII")
_IFINFOMSG = struct.Struct("=BxHiII")
_IFADDRMSG = struct.Struct("=BBBBI")
_RTMSG = struct.Struct("=BBBBBBBBI")

ROUTE_KINDS = (
    None,
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
)
"""The names of `ip route`; the index is the kernel's number (RTN_…)."""


class Link(NamedTuple):
    """An interface, by its index; a name's bytes that are no UTF-8 are kept by surrogateescape (PEP 383).

    `kind`: "veth", "bridge", "wireguard" … None: hardware, or loopback. `master`: the bridge or bond that it is in.
    `peer`: the other end of a veth pair, or what it is built on, by its index in that one's namespace; `peer_netns` is
    the number of that namespace in this one (None: this one itself, or not told). `flags`: IFF_….
    """

    interface: int
    name: str
    kind: str | None = None
    master: int | None = None
    peer: int | None = None
    flags: int = 0
    peer_netns: int | None = None


class LinkAddress(NamedTuple):
    """An address of an interface, by its index. `prefix`: the bits of its network, all of them for point-to-point."""

    interface: int
    address: IPAddress
    prefix: int
    broadcast: IPAddress | None


class RouteRecord(NamedTuple):
    """A route; `kind` None is one that this program does not know the name of, `interface` an index."""

    kind: str | None
    interface: int | None
    source: IPAddress | None
    gateway: IPAddress | None


class Batch(NamedTuple):
    """What one buffer held. `error`: the kernel's errno; `interrupted`: NLM_F_DUMP_INTR was set."""

    links: list[Link]
    addresses: list[LinkAddress]
    routes: list[RouteRecord]
    done: bool
    error: int | None
    interrupted: bool


def links_request(sequence: int) -> bytes:
    """A dump of the interfaces of the socket's network namespace."""
    return _message(_RTM_GETLINK, _NLM_F_DUMP, sequence, _IFINFOMSG.pack(AF_UNSPEC, 0, 0, 0, 0))


def addresses_request(sequence: int) -> bytes:
    """A dump of the addresses of every interface, of both families."""
    return _message(_RTM_GETADDR, _NLM_F_DUMP, sequence, _IFADDRMSG.pack(AF_UNSPEC, 0, 0, 0, 0))


def route_request(
    destination: IPAddress,
    sequence: int,
    interface: int | None = None,
    *,
    source: IPAddress | None = None,
    incoming: int | None = None,
    mark: int | None = None,
    service: tuple[int, int] | None = None,
    source_port: int | None = None,
    uid: int | None = None,
) -> bytes:
    """What `ip route get` asks: the route that a packet from here to `destination` takes (by `interface`, if given).

    With `incoming`, an interface too, what becomes of a packet from `source` that comes in there. `service` is the
    protocol's number and the port, by which rules may choose the way, too; so they may by `source_port` and by `uid`,
    the sender's.
    """
    family, bits = (AF_INET, 32) if destination.version == 4 else (AF_INET6, 128)
    own = 0 if source is None else bits
    body = _RTMSG.pack(family, bits, own, 0, 0, 0, 0, 0, 0) + _attribute(_RTA_DST, destination.packed)
    if source is not None:
        body += _attribute(_RTA_SRC, source.packed)
    for kind, number in ((_RTA_IIF, incoming), (_RTA_OIF, interface), (_RTA_MARK, mark), (_RTA_UID, uid)):
        if number is not None:
            body += _attribute(kind, struct.pack("=I", number))
    if service is not None:
        body += _attribute(_RTA_IP_PROTO, struct.pack("=B", service[0]))
        body += _attribute(_RTA_DPORT, struct.pack("!H", service[1]))
        if source_port is not None:
            body += _attribute(_RTA_SPORT, struct.pack("!H", source_port))
    return _message(_RTM_GETROUTE, 0, sequence, body)


def netns_id_request(descriptor: int, sequence: int) -> bytes:
    """By which number this namespace knows the one of an open descriptor (rtnetlink's RTM_GETNSID)."""
    return _message(_RTM_GETNSID, 0, sequence, bytes(4) + _attribute(_NETNSA_FD, struct.pack("=i", descriptor)))


def netns_id(data: bytes) -> int | None:
    """The number in the answer; None where there is none. Raises only WireError."""
    if len(data) < _HEADER.size + 4:
        raise WireError("a netlink message is too short")
    length, kind, *_ = _HEADER.unpack_from(data)
    if kind != _RTM_NEWNSID or length > len(data):
        return None
    return _netns_id(_attributes(data[:length], _HEADER.size + 4).get(_NETNSA_NSID))


def decode(data: bytes | memoryview, sequence: int | None = None) -> Batch:
    """The records of one buffer; those that answer another request are left out. Raises only WireError."""
    data = bytes(data)
    batch = Batch([], [], [], False, None, False)
    offset = 0
    done = interrupted = False
    error = None
    while offset + _HEADER.size <= len(data) and not done:
        length, kind, flags, number, _ = _HEADER.unpack_from(data, offset)
        stop = offset + length
        if length < _HEADER.size or stop > len(data):
            raise WireError("a netlink message is longer than its buffer")
        body = data[offset + _HEADER.size : stop]
        offset += _aligned(length)
        if sequence is not None and number != sequence:
            continue
        interrupted |= bool(flags & _NLM_F_DUMP_INTR)
        if kind == _NLMSG_DONE:
            done = True
        elif kind == _NLMSG_ERROR:
            error, done = _error(body), True
        else:
            _record(kind, body, batch)
    return batch._replace(done=done, error=error, interrupted=interrupted)


def _record(kind: int, body: bytes, batch: Batch) -> None:
    if kind == _RTM_NEWLINK:
        batch.links.extend(_link(body))
    elif kind == _RTM_NEWADDR:
        batch.addresses.extend(_link_address(body))
    elif kind == _RTM_NEWROUTE:
        batch.routes.extend(_route(body))


def _link(body: bytes) -> Iterator[Link]:
    _, _, index, flags, _ = _fields(_IFINFOMSG, body, "an interface record")
    found = _attributes(body, _IFINFOMSG.size)
    name = found.get(_IFLA_IFNAME)
    if name is None:
        return
    info = _attributes(found[_IFLA_LINKINFO], 0) if _IFLA_LINKINFO in found else {}
    kind = info.get(_IFLA_INFO_KIND)
    yield Link(
        index,
        _text(name),
        None if kind is None else _text(kind),
        _number(found.get(_IFLA_MASTER)),
        _number(found.get(_IFLA_LINK)),
        flags,
        _netns_id(found.get(_IFLA_LINK_NETNSID)),
    )


def _netns_id(raw: bytes | None) -> int | None:
    """The number of another namespace; None for none, and for a negative one: not assigned."""
    if raw is None:
        return None
    if len(raw) < 4:
        raise WireError("a namespace that is no number")
    number = int(struct.unpack_from("=i", raw)[0])
    return number if number >= 0 else None


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(raw: bytes | None) -> int | None:
    """A number of 32 bits; None for none, and for 0, which is no interface."""
    if raw is None:
        return None
    if len(raw) < 4:
        raise WireError("an interface that is no number")
    return int(struct.unpack_from("=I", raw)[0]) or None


def _link_address(body: bytes) -> Iterator[LinkAddress]:
    family, prefix, _, _, index = _fields(_IFADDRMSG, body, "an address record")
    if family not in (AF_INET, AF_INET6):
        return
    found = _attributes(body, _IFADDRMSG.size)
    # IFA_ADDRESS is the peer of a point-to-point link, which then has IFA_LOCAL too (linux/if_addr.h)
    local, other = found.get(_IFA_LOCAL), found.get(_IFA_ADDRESS)
    own = local if local is not None else other
    if own is None:
        return
    address = _address(family, own)
    if other is not None and other != own:
        prefix = address.max_prefixlen
    if prefix > address.max_prefixlen:
        raise WireError("an address with more bits of network than it has")
    broadcast = found.get(_IFA_BROADCAST)
    yield LinkAddress(index, address, prefix, None if broadcast is None else _address(family, broadcast))


def _route(body: bytes) -> Iterator[RouteRecord]:
    family, _, _, _, _, _, _, number, _ = _fields(_RTMSG, body, "a route record")
    if family not in (AF_INET, AF_INET6):
        return
    found = _attributes(body, _RTMSG.size)
    source, interface = found.get(_RTA_PREFSRC), found.get(_RTA_OIF)
    if interface is not None and len(interface) < 4:
        raise WireError("a route with an interface that is no number")
    yield RouteRecord(
        ROUTE_KINDS[number] if number < len(ROUTE_KINDS) else None,
        None if interface is None else struct.unpack_from("=i", interface)[0],
        None if source is None else _address(family, source),
        _gateway(family, found),
    )


def _gateway(family: int, found: dict[int, bytes]) -> IPAddress | None:
    if _RTA_GATEWAY in found:
        return _address(family, found[_RTA_GATEWAY])
    via = found.get(_RTA_VIA)  # struct rtvia: a gateway of the other family (RFC 5549)
    if via is None:
        return None
    if len(via) < 2:
        raise WireError("a gateway without a family")
    (other,) = struct.unpack_from("=H", via)
    return _address(other, via[2:]) if other in (AF_INET, AF_INET6) else None


def _address(family: int, raw: bytes) -> IPAddress:
    if len(raw) != (4 if family == AF_INET else 16):
        raise WireError(f"an address of {len(raw)} bytes")
    return IPv4Address(raw) if family == AF_INET else IPv6Address(raw)


def _fields(form: struct.Struct, body: bytes, what: str) -> tuple[int, ...]:
    if len(body) < form.size:
        raise WireError(f"{what} is too short")
    return form.unpack_from(body)


def _attributes(body: bytes, offset: int) -> dict[int, bytes]:
    """Attributes by type; of two with one type the last."""
    found = {}
    while offset + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, offset)
        if length < 4 or offset + length > len(body):
            raise WireError("a netlink attribute is longer than its record")
        found[kind & _NLA_TYPE_MASK] = body[offset + 4 : offset + length]
        offset += _aligned(length)
    return found


def _error(body: bytes) -> int | None:
    """The errno; None for 0, an acknowledgement."""
    if len(body) < 4:
        raise WireError("a netlink error without its number")
    (number,) = struct.unpack_from("=i", body)
    return -int(number) or None


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, _NLM_F_REQUEST | flags, sequence, 0) + body


def _attribute(kind: int, payload: bytes) -> bytes:
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + bytes(_aligned(length) - length)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
