"""The records and the filter of system/bpf/sockets.bpf.c, in host byte order.

Layout of a record, 96 bytes: mark (u32: version << 16 | size), pid (u32), start (u64, ns since boot), inode (u64),
cookie (u64), descriptor, network namespace, uid, interface, receive queue, send queue (u32 each), port, peer port (u16
each), family, protocol, state, flags (u8 each), address, peer address (16 bytes each, in network byte order). Records
of another version are refused as a whole: nothing of them is guessed.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

from homeport.errors import WireError
from homeport.lean import NamedTuple
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.snapshot import Query
from homeport.model.sockets import Holder, Socket, State

VERSION = 1
FILTER_SIZE = 8 + 512

_RECORD = struct.Struct("=4xIQQQIIIIIIHHBHB16s16s")  # without the mark, which `_check` reads; protocol and state as one
_MARK = VERSION << 16 | _RECORD.size
_STRIDE = _RECORD.size // 4
_AF_INET, _AF_INET6 = 2, 10
_TCP, _UDP = 6, 17
_V6ONLY, _QUEUES, _THREAD = 1, 2, 4
_WANT_TCP, _WANT_UDP, _WANT_CONNECTIONS, _WANT_PORTS = 1, 2, 4, 8
_PORT_BITS = 4096

# include/net/tcp_states.h; a socket with a descriptor and a port that is TCP_CLOSE was bound and no more
_TCP_STATES = {
    1: State.ESTABLISHED,
    2: State.SYN_SENT,
    3: State.SYN_RECV,
    4: State.FIN_WAIT1,
    5: State.FIN_WAIT2,
    6: State.TIME_WAIT,
    7: State.BOUND_INACTIVE,
    8: State.CLOSE_WAIT,
    9: State.LAST_ACK,
    10: State.LISTEN,
    11: State.CLOSING,
    12: State.NEW_SYN_RECV,
}
_UDP_STATES = {1: State.ESTABLISHED, 7: State.BOUND}


class Records(NamedTuple):
    """Each socket once, and by its inode who holds it; `zoned`: indexes of those whose address wants an IPv6 zone."""

    sockets: list[Socket]
    holders: dict[int, tuple[Holder, ...]]
    zoned: list[int]


def filter_of(query: Query) -> bytes:
    """What the program is to leave out. Ports are told by their low 12 bits: it may answer more, never less."""
    wanted = (_WANT_TCP if Protocol.TCP in query.protocols else 0) | (
        _WANT_UDP if Protocol.UDP in query.protocols else 0
    )
    if query.connections:
        wanted |= _WANT_CONNECTIONS
    bits = 0
    if query.ports is not None:
        wanted |= _WANT_PORTS
        for port in query.ports:
            bits |= 1 << port % _PORT_BITS
    # words of 64 bits in host byte order: the words ascend, whatever the order of bytes within each
    return struct.pack("=65Q", wanted, *struct.unpack("<64Q", bits.to_bytes(_PORT_BITS // 8, "little")))


def decode(data: bytes, query: Query, hertz: int = 100) -> Records:
    """The sockets that `query` asks for among the records; `hertz` is sysconf(_SC_CLK_TCK). Raises only WireError."""
    _check(data)
    sockets: list[Socket] = []
    holders: dict[int, tuple[Holder, ...]] = {}
    shared: dict[int, list[Holder]] = {}
    zoned: list[int] = []
    kinds = _kinds(query)
    ports = query.ports
    caches: dict[int, _Addresses] = {_AF_INET: _Addresses4(), _AF_INET6: _Addresses()}
    new = tuple.__new__  # a NamedTuple's own constructor takes three times as long
    tick = 1_000_000_000 // hertz
    # fmt: off
    for (pid, start, inode, cookie, descriptor, netns, uid, interface, received, sent, port, peer_port,
         family, protocol_state, flags, address, peer_address) in _RECORD.iter_unpack(data):
        # fmt: on
        kind = kinds.get(protocol_state)
        if kind is None or (ports is not None and port not in ports):
            continue
        holder = new(Holder, (pid, start // tick, descriptor))
        held = holders.get(inode)
        if held is not None:
            if inode not in shared:
                shared[inode] = [*held]
            if not flags & _THREAD or holder not in shared[inode]:
                shared[inode].append(holder)
            continue
        holders[inode] = (holder,)
        cache = caches.get(family)
        if cache is None:
            raise WireError(f"address family {family} in a BPF record")
        if interface and family == _AF_INET6 and address[0] == 0xFE and address[1] & 0xC0 == 0x80:
            zoned.append(len(sockets))
        known = flags & _QUEUES
        sockets.append(
            new(Socket, (
                kind[0], kind[1],
                cache[address], port,
                cache[peer_address] if peer_port else None, peer_port or None,
                inode, cookie or None, netns or None, uid,
                received if known else None,
                sent if known else None,
                interface or None,
                flags & _V6ONLY != 0 if family == _AF_INET6 and not peer_port else None,
                None,
            ))
        )  # fmt: skip
    for inode, several in shared.items():
        holders[inode] = tuple(several)
    return Records(sockets, holders, zoned)


class _Addresses(dict[bytes, IPAddress]):
    """Packed IPv6 addresses and what they stand for; a crowd has few."""

    def __missing__(self, raw: bytes) -> IPAddress:
        self[raw] = address = self.make(raw)
        return address

    @staticmethod
    def make(raw: bytes) -> IPAddress:
        return IPv6Address(raw)


class _Addresses4(_Addresses):
    @staticmethod
    def make(raw: bytes) -> IPAddress:
        return IPv4Address(raw[:4])


def _check(data: bytes) -> None:
    if len(data) % _RECORD.size:
        raise WireError(f"{len(data)} bytes are no whole number of BPF records")
    marks = set(memoryview(data).cast("I")[::_STRIDE]) - {_MARK}
    if marks:
        mark = min(marks)
        raise WireError(f"BPF records of version {mark >> 16} and {mark & 0xFFFF} bytes; this reads version {VERSION}")


def _kinds(query: Query) -> dict[int, tuple[Protocol, State]]:
    """By the two bytes of a record, protocol and state: what they mean, for those that are asked for."""
    tables = ((Protocol.TCP, _TCP, _TCP_STATES, State.LISTEN), (Protocol.UDP, _UDP, _UDP_STATES, State.BOUND))
    return {
        int(_PAIR.unpack(bytes((number, state_number)))[0]): (protocol, state)
        for protocol, number, states, listening in tables
        if protocol in query.protocols
        for state_number, state in states.items()
        if query.connections or state is listening
    }


_PAIR = struct.Struct("=H")
