from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.sockets import State
from homeport.wire import sock_diag

LOOPBACK = ip_address("127.0.0.1")
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def message(kind: int, body: bytes, flags: int = 2) -> bytes:
    data = struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body
    return data + bytes(-len(data) % 4)


def record(
    *,
    address: IPAddress = LOOPBACK,
    port: int = 62893,
    peer: IPAddress | None = None,
    peer_port: int = 0,
    state: int = 10,
    inode: int = 77,
    cookie: int = 5,
    uid: int = 33,
    queues: tuple[int, int] = (1, 128),
    interface: int = 0,
    attributes: bytes = b"",
    flags: int = 2,
) -> bytes:
    family = 2 if address.version == 4 else 10
    body = struct.pack("=BBxx", family, state) + struct.pack(">HH", port, peer_port)
    body += address.packed.ljust(16, b"\0") + (peer.packed if peer else b"").ljust(16, b"\0")
    body += struct.pack("=IQIIIII", interface, cookie, 0, *queues, uid, inode)
    return message(20, body + attributes, flags)


def decode(data: bytes, protocol: Protocol = Protocol.TCP) -> sock_diag.Batch:
    return sock_diag.decode(data, protocol, 4026531840, {})


def test_a_listener() -> None:
    (one,) = decode(record()).sockets
    assert (one.protocol, one.state, one.address, one.port) == (
        Protocol.TCP,
        State.LISTEN,
        IPv4Address("127.0.0.1"),
        62893,
    )
    assert (one.inode, one.cookie, one.uid, one.netns) == (77, 5, 33, 4026531840)
    assert (one.receive_queue, one.send_queue, one.peer_address, one.peer_port, one.interface) == (
        1,
        128,
        None,
        None,
        None,
    )


@given(ADDRESSES, st.integers(1, 65535), st.integers(1, 65535), st.integers(1, 2**32 - 1))
def test_round_trip_of_connections(address: IPAddress, port: int, peer_port: int, inode: int) -> None:
    (one,) = decode(record(address=address, port=port, peer=address, peer_port=peer_port, state=1, inode=inode)).sockets
    assert (one.address, one.port, one.peer_address, one.peer_port, one.inode) == (
        address,
        port,
        address,
        peer_port,
        inode,
    )
    assert one.state is State.ESTABLISHED


def test_time_wait_has_no_inode() -> None:
    (one,) = decode(record(state=6, inode=0, peer=ip_address("127.0.0.1"), peer_port=9)).sockets
    assert one.state is State.TIME_WAIT
    assert one.inode is None


@pytest.mark.parametrize(("value", "expected"), [(1, True), (0, False)])
def test_v6only(value: int, expected: bool) -> None:
    attribute = struct.pack("=HHB3x", 5, 11, value)
    other = struct.pack("=HHI", 8, 4711, 1)
    (one,) = decode(record(address=ip_address("::"), attributes=other + attribute)).sockets
    assert one.v6only is expected


def test_udp_states() -> None:
    rows = decode(record(state=7) + record(state=1, peer=ip_address("1.1.1.1"), peer_port=53), Protocol.UDP).sockets
    assert [one.state for one in rows] == [State.BOUND, State.ESTABLISHED]


def test_states_of_later_kernels_are_passed_over() -> None:
    assert decode(record(state=99) + record()).sockets[0].state is State.LISTEN


def test_messages_of_other_kinds_are_passed_over() -> None:
    assert len(decode(message(1, b"") + message(999, b"what is this") + record()).sockets) == 1


def test_the_end_of_a_dump() -> None:
    assert decode(record() + message(3, struct.pack("=i", 0))).done
    assert not decode(record()).done


def test_an_error_is_a_value() -> None:
    batch = decode(message(2, struct.pack("=i", -2) + bytes(16)))
    assert batch.done
    assert batch.error == 2


def test_an_interrupted_dump_says_so() -> None:
    assert decode(record(flags=0x12)).interrupted
    assert not decode(record()).interrupted


def test_the_same_bytes_are_another_address_in_the_other_family() -> None:
    cache: dict[bytes, IPAddress] = {}
    data = record(address=ip_address("127.0.0.1"))
    assert sock_diag.decode(data, Protocol.TCP, None, cache).sockets[0].address == IPv4Address("127.0.0.1")
    assert decode(record(address=IPv6Address("7f00:1::"))).sockets[0].address == IPv6Address("7f00:1::")


@given(st.binary(max_size=400))
def test_rubbish_raises_nothing_but_the_declared_error(data: bytes) -> None:
    for read in (lambda: decode(data), lambda: sock_diag.inodes(data)):
        try:
            read()
        except WireError:
            pass


@given(st.data())
def test_flipped_and_cut_records_raise_nothing_but_the_declared_error(data: Any) -> None:
    whole = bytearray(record(address=ip_address("::1"), attributes=struct.pack("=HHB3x", 5, 11, 1)) + record())
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        batch = decode(cut)
    except WireError:
        return
    assert len(batch.sockets) <= 2


@given(st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=50))
def test_inodes_without_decoding(numbers: list[int]) -> None:
    data = b"".join(record(inode=number) for number in numbers)
    assert sock_diag.inodes(data) == frozenset(numbers)
    assert {one.inode for one in decode(data).sockets} == set(numbers)


def test_inodes_leaves_mixed_buffers_to_decode() -> None:
    assert sock_diag.inodes(record() + record(address=ip_address("::"), attributes=bytes(8))) is None
    assert sock_diag.inodes(record() + message(3, bytes(72))) is None
    assert sock_diag.inodes(b"") is None


def test_a_request_carries_its_port_filter() -> None:
    plain = sock_diag.request(sock_diag.AF_INET, Protocol.TCP, connections=False)
    assert struct.unpack_from("=I", plain)[0] == len(plain) == 72
    filtered = sock_diag.request(sock_diag.AF_INET6, Protocol.UDP, connections=True, ports=(1000, 2000))
    assert struct.unpack_from("=I", filtered)[0] == len(filtered) == 92
    assert struct.pack("=H", 1000) in filtered[72:]
    assert struct.pack("=H", 2000) in filtered[72:]
