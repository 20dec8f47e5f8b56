"""sock_diag(7): requests for, and records of, TCP and UDP sockets (linux/inet_diag.h, linux/netlink.h).

A dump is a stream of netlink messages in host byte order; ports and addresses inside are in network byte order.
Unknown attributes and states of later kernels are passed over, as sock_diag(7) asks.
"""

from __future__ import annotations

import struct
import sys
from ipaddress import IPv4Address, IPv6Address

from homeport.errors import WireError
from homeport.lean import NamedTuple
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.sockets import Socket, State

AF_INET = 2
AF_INET6 = 10
PROTOCOL_NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17}

_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_NOOP, _NLMSG_ERROR, _NLMSG_DONE = 1, 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP, _NLM_F_DUMP_INTR = 0x1, 0x300, 0x10
_REQ_BYTECODE = 1
_BC_S_GE, _BC_S_LE = 2, 3
_SKV6ONLY = 11
_MASK_LISTEN = 1 << 10
_MASK_UDP_BOUND = 1 << 7
_MASK_ALL = 0xFFFFFFFF

_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI48s")
# inet_diag_msg: family, state, sport, dport, src, dst, if, cookie, expires, rqueue, wqueue, uid, inode
_RECORD = struct.Struct("=BBxxHH16s16sIQIIIII")
_RECORD_END = _HEADER.size + _RECORD.size
_INODE_WORD = (_RECORD_END - 4) // 4
_LITTLE = sys.byteorder == "little"

# include/net/tcp_states.h; the index is the kernel's number
STATES = (
    None,
    State.ESTABLISHED,
    State.SYN_SENT,
    State.SYN_RECV,
    State.FIN_WAIT1,
    State.FIN_WAIT2,
    State.TIME_WAIT,
    State.BOUND_INACTIVE,
    State.CLOSE_WAIT,
    State.LAST_ACK,
    State.LISTEN,
    State.CLOSING,
    State.NEW_SYN_RECV,
    State.BOUND_INACTIVE,
)
UDP_STATES = (None, State.ESTABLISHED, None, None, None, None, None, State.BOUND)


class Batch(NamedTuple):
    """What one buffer of a dump held. `error` is the kernel's errno; `interrupted`: NLM_F_DUMP_INTR was set."""

    sockets: list[Socket]
    done: bool
    error: int | None
    interrupted: bool


def request(family: int, protocol: Protocol, *, connections: bool, ports: tuple[int, int] | None = None) -> bytes:
    """A dump request for one address family; `ports` (low, high) is filtered in the kernel (INET_DIAG_REQ_BYTECODE)."""
    if connections:
        states = _MASK_ALL
    else:
        states = _MASK_LISTEN if protocol is Protocol.TCP else _MASK_UDP_BOUND
    body = _REQUEST.pack(family, PROTOCOL_NUMBERS[protocol], 0, 0, states, bytes(48))
    if ports is not None:
        low, high = ports
        # each operation is followed by one that holds its port; a `no` past the end rejects the socket
        code = struct.pack("=BBHBBHBBHBBH", _BC_S_GE, 8, 20, 0, 0, low, _BC_S_LE, 8, 12, 0, 0, high)
        body += struct.pack("=HH", 4 + len(code), _REQ_BYTECODE) + code
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST | _NLM_F_DUMP, 1, 0) + body


def decode(data: bytes | memoryview, protocol: Protocol, netns: int | None, addresses: dict[bytes, IPAddress]) -> Batch:
    """The sockets of one buffer. `addresses` caches packed addresses, one cache a family. Raises only WireError."""
    sockets: list[Socket] = []
    append = sockets.append
    states = STATES if protocol is Protocol.TCP else UDP_STATES
    unpack = _RECORD.unpack_from
    offset, end = 0, len(data)
    interrupted = False
    while offset + 16 <= end:
        length, kind, flags, _, _ = _HEADER.unpack_from(data, offset)
        stop = offset + length
        if length < 16 or stop > end:
            raise WireError("a netlink message is longer than its buffer")
        interrupted |= bool(flags & _NLM_F_DUMP_INTR)
        if kind == _SOCK_DIAG_BY_FAMILY:
            if length < _RECORD_END:
                raise WireError("an inet_diag record is too short")
            (family, number, sport, dport, source, destination, interface, cookie, _, received, sent, uid, inode) = (
                unpack(data, offset + 16)
            )
            state = states[number] if number < len(states) else None
            if state is not None:
                if _LITTLE:
                    sport, dport = (sport >> 8 | sport << 8) & 0xFFFF, (dport >> 8 | dport << 8) & 0xFFFF
                peer = dport != 0
                v6only = _v6only(data, offset + _RECORD_END, stop) if family == AF_INET6 and not peer else None
                append(
                    Socket(
                        protocol,
                        state,
                        addresses.get(source) or _address(family, source, addresses),
                        sport,
                        (addresses.get(destination) or _address(family, destination, addresses)) if peer else None,
                        dport if peer else None,
                        inode or None,
                        cookie if cookie not in (0, 0xFFFFFFFFFFFFFFFF) else None,
                        netns,
                        uid,
                        received,
                        sent,
                        interface or None,
                        v6only,
                    )
                )
        elif kind == _NLMSG_DONE:  # since Linux 4.16 it may carry an error too
            error = _error(data, offset, stop) if length >= 20 else 0
            return Batch(sockets, True, error or None, interrupted)
        elif kind == _NLMSG_ERROR:
            return Batch(sockets, True, _error(data, offset, stop), interrupted)
        offset += (length + 3) & ~3
    return Batch(sockets, False, None, interrupted)


def inodes(data: bytes | memoryview) -> frozenset[int] | None:
    """The inode numbers of a buffer of equally long records, without decoding them; None: decode it instead.

    A tenth of the cost of `decode`, for a caller who knows nearly all of the sockets already.
    """
    if len(data) < _RECORD_END or len(data) % 4:
        return None
    words = memoryview(data).cast("B").cast("I")
    stride = words[0]
    if stride % 4 or stride < _RECORD_END or len(data) % stride:
        return None
    stride //= 4
    if set(words[::stride]) != {words[0]} or {word & 0xFFFF for word in set(words[1::stride])} != {
        _SOCK_DIAG_BY_FAMILY
    }:
        return None
    return frozenset(words[_INODE_WORD::stride])


def _address(family: int, raw: bytes, addresses: dict[bytes, IPAddress]) -> IPAddress:
    if family == AF_INET:
        addresses[raw] = IPv4Address(raw[:4])
    elif family == AF_INET6:
        addresses[raw] = IPv6Address(raw)
    else:
        raise WireError(f"address family {family} in an inet_diag record")
    return addresses[raw]


def _v6only(data: bytes | memoryview, offset: int, stop: int) -> bool | None:
    while offset + 4 <= stop:
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4 or offset + length > stop:
            raise WireError("an inet_diag attribute is longer than its record")
        if kind == _SKV6ONLY and length > 4:
            return bool(data[offset + 4])
        offset += (length + 3) & ~3
    return None


def _error(data: bytes | memoryview, offset: int, stop: int) -> int:
    if stop - offset < 20:
        raise WireError("a netlink error without its number")
    (number,) = struct.unpack_from("=i", data, offset + 16)
    return -int(number)
