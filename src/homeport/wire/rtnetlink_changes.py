"""rtnetlink(7) requests that change something: a veth pair, its addresses and routes (linux/if_link.h, veth.h).

Each asks for an acknowledgement, which `rtnetlink.decode` reads.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Interface, IPv6Interface

from homeport.model.addresses import IPAddress
from homeport.wire.rtnetlink import AF_INET, AF_INET6, AF_UNSPEC

_RTM_NEWLINK, _RTM_DELLINK, _RTM_NEWADDR, _RTM_NEWROUTE = 16, 17, 20, 24
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_EXCL, _NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 3, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_F_NODAD = 0x02
_IFF_UP = 1
_RTA_OIF, _RTA_GATEWAY = 4, 5
_RT_TABLE_MAIN, _RTPROT_BOOT, _RTN_UNICAST = 254, 3, 1
_NLA_F_NESTED = 0x8000

_HEADER = struct.Struct("=IHHII")
_IFINFOMSG = struct.Struct("=BxHiII")
_IFADDRMSG = struct.Struct("=BBBBI")
_RTMSG = struct.Struct("=BBBBBBBBI")


def new_pair(sequence: int, name: str, peer: str, descriptor: int) -> bytes:
    """A veth pair: `name` here, `peer` in the network namespace of an open descriptor."""
    far = _IFINFOMSG.pack(AF_UNSPEC, 0, 0, 0, 0)
    far += _attribute(_IFLA_IFNAME, _text(peer)) + _attribute(_IFLA_NET_NS_FD, struct.pack("=i", descriptor))
    info = _attribute(_IFLA_INFO_KIND, b"veth")
    info += _attribute(_IFLA_INFO_DATA | _NLA_F_NESTED, _attribute(_VETH_INFO_PEER | _NLA_F_NESTED, far))
    body = _IFINFOMSG.pack(AF_UNSPEC, 0, 0, 0, 0)
    body += _attribute(_IFLA_IFNAME, _text(name)) + _attribute(_IFLA_LINKINFO | _NLA_F_NESTED, info)
    return _message(_RTM_NEWLINK, _NLM_F_CREATE | _NLM_F_EXCL, sequence, body)


def delete(sequence: int, index: int) -> bytes:
    """An interface, and with one end of a veth pair the other."""
    return _message(_RTM_DELLINK, 0, sequence, _IFINFOMSG.pack(AF_UNSPEC, 0, index, 0, 0))


def up(sequence: int, index: int) -> bytes:
    """Switch an interface on."""
    return _message(_RTM_NEWLINK, 0, sequence, _IFINFOMSG.pack(AF_UNSPEC, 0, index, _IFF_UP, _IFF_UP))


def new_address(sequence: int, index: int, address: IPv4Interface | IPv6Interface) -> bytes:
    """Give an interface an address at once, without duplicate address detection (RFC 4862 section 5.4)."""
    family = AF_INET if address.version == 4 else AF_INET6
    body = _IFADDRMSG.pack(family, address.network.prefixlen, _IFA_F_NODAD, 0, index)
    body += _attribute(_IFA_LOCAL, address.ip.packed) + _attribute(_IFA_ADDRESS, address.ip.packed)
    return _message(_RTM_NEWADDR, _NLM_F_CREATE | _NLM_F_EXCL, sequence, body)


def new_default_route(sequence: int, index: int, gateway: IPAddress) -> bytes:
    """Send everything to `gateway`."""
    family = AF_INET if gateway.version == 4 else AF_INET6
    body = _RTMSG.pack(family, 0, 0, 0, _RT_TABLE_MAIN, _RTPROT_BOOT, 0, _RTN_UNICAST, 0)
    body += _attribute(_RTA_GATEWAY, gateway.packed) + _attribute(_RTA_OIF, struct.pack("=i", index))
    return _message(_RTM_NEWROUTE, _NLM_F_CREATE | _NLM_F_EXCL, sequence, body)


def _text(name: str) -> bytes:
    return name.encode() + b"\0"


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    length = _HEADER.size + len(body)
    return _HEADER.pack(length, kind, _NLM_F_REQUEST | _NLM_F_ACK | flags, sequence, 0) + body


def _attribute(kind: int, payload: bytes) -> bytes:
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + bytes(-length % 4)
