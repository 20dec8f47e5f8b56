from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.model.addresses import Protocol
from homeport.model.snapshot import Query
from homeport.model.sockets import Holder, State
from homeport.wire import bpf_records

EVERYTHING = Query(frozenset(Protocol), connections=True)
LISTENERS = Query(frozenset(Protocol))
MARK = 1 << 16 | 96
LAYOUT = struct.Struct("=IIQQQIIIIIIHHBBBB16s16s")


def record(
    mark: int = MARK,
    pid: int = 7,
    start: int = 12_345_678_901,
    inode: int = 100,
    cookie: int = 5,
    descriptor: int = 3,
    netns: int = 4026531840,
    uid: int = 1000,
    interface: int = 0,
    received: int = 0,
    sent: int = 128,
    port: int = 8080,
    peer_port: int = 0,
    family: int = 2,
    protocol: int = 6,
    state: int = 10,
    flags: int = 2,
    address: bytes = b"\x7f\0\0\1",
    peer_address: bytes = b"",
) -> bytes:
    return LAYOUT.pack(
        mark, pid, start, inode, cookie, descriptor, netns, uid, interface, received, sent, port, peer_port,
        family, protocol, state, flags, address.ljust(16, b"\0"), peer_address.ljust(16, b"\0"),
    )  # fmt: skip


def test_a_listener_is_told_with_its_holder() -> None:
    found = bpf_records.decode(record(), LISTENERS)
    (one,) = found.sockets
    assert one.protocol is Protocol.TCP
    assert one.state is State.LISTEN
    assert one.is_listener
    assert (one.address, one.port) == (IPv4Address("127.0.0.1"), 8080)
    assert (one.peer_address, one.peer_port) == (None, None)
    assert (one.inode, one.cookie, one.netns, one.uid) == (100, 5, 4026531840, 1000)
    assert (one.receive_queue, one.send_queue) == (0, 128)
    assert (one.interface, one.v6only) == (None, None)
    assert found.holders == {100: (Holder(7, 1234, 3),)}
    assert found.zoned == []


def test_start_is_cut_to_clock_ticks_as_the_kernel_does() -> None:
    for hertz, ticks in ((100, 1234), (1000, 12345)):
        assert bpf_records.decode(record(), LISTENERS, hertz).holders[100][0].start_ticks == ticks


def test_zero_is_unknown_where_the_kernel_means_that() -> None:
    (one,) = bpf_records.decode(record(cookie=0, netns=0, flags=0), LISTENERS).sockets
    assert (one.cookie, one.netns, one.receive_queue, one.send_queue) == (None, None, None, None)


def test_a_shared_socket_comes_once_with_every_holder() -> None:
    data = record(pid=7) + record(inode=101, port=81) + record(pid=8, descriptor=9) + record(pid=9, descriptor=3)
    found = bpf_records.decode(data, LISTENERS)
    assert [one.inode for one in found.sockets] == [100, 101]
    assert [one.pid for one in found.holders[100]] == [7, 8, 9]
    assert len(found.holders[101]) == 1


def test_one_process_may_hold_a_socket_twice() -> None:
    found = bpf_records.decode(record() + record(descriptor=4), LISTENERS)
    assert [one.descriptor for one in found.holders[100]] == [3, 4]


def test_threads_without_their_leader_are_one_holder() -> None:
    data = record(flags=6) + record(flags=6) + record(flags=6, descriptor=5) + record(flags=6)
    assert [one.descriptor for one in bpf_records.decode(data, LISTENERS).holders[100]] == [3, 5]


def test_mapped_addresses_stay_ipv6() -> None:
    mapped = bytes(10) + b"\xff\xff\x7f\0\0\1"
    (one,) = bpf_records.decode(
        record(family=10, address=mapped, state=1, peer_port=5000, peer_address=mapped), EVERYTHING
    ).sockets
    assert one.address == IPv6Address("::ffff:127.0.0.1") == one.peer_address
    assert one.v6only is None  # as sock_diag tells it of listeners only


@pytest.mark.parametrize(("flags", "v6only"), [(2, False), (3, True)])
def test_v6only_is_told_of_ipv6_listeners(flags: int, v6only: bool) -> None:
    (one,) = bpf_records.decode(record(family=10, address=b"", flags=flags), LISTENERS).sockets
    assert one.address == IPv6Address("::")
    assert one.v6only is v6only


def test_families_do_not_share_cached_addresses() -> None:
    data = record(address=b"") + record(inode=101, family=10, address=b"") + record(inode=102, address=b"")
    addresses = [one.address for one in bpf_records.decode(data, LISTENERS).sockets]
    assert addresses == [IPv4Address("0.0.0.0"), IPv6Address("::"), IPv4Address("0.0.0.0")]
    assert addresses[0] is addresses[2]


def test_link_local_addresses_with_an_interface_want_a_zone() -> None:
    linklocal = b"\xfe\x80" + bytes(13) + b"\1"
    data = (
        record(family=10, address=linklocal)
        + record(inode=101, family=10, address=linklocal, interface=2)
        + record(inode=102, interface=2)
    )
    found = bpf_records.decode(data, LISTENERS)
    assert found.zoned == [1]
    assert [one.interface for one in found.sockets] == [None, 2, 2]


def test_the_query_is_applied_again() -> None:
    data = (
        record(inode=1)
        + record(inode=2, state=1, peer_port=9)
        + record(inode=3, protocol=17, state=7)
        + record(inode=4, protocol=17, state=1, peer_port=9)
        + record(inode=5, state=7)
        + record(inode=6, port=8080 + 4096)
    )

    def inodes(query: Query) -> list[int | None]:
        return [one.inode for one in bpf_records.decode(data, query).sockets]

    assert inodes(EVERYTHING) == [1, 2, 3, 4, 5, 6]
    assert inodes(LISTENERS) == [1, 3, 6]
    assert inodes(Query(frozenset([Protocol.TCP]))) == [1, 6]
    assert inodes(Query(frozenset([Protocol.UDP]), connections=True)) == [3, 4]
    assert inodes(Query(frozenset(Protocol), ports=frozenset([8080]))) == [1, 3]
    assert inodes(Query(frozenset(Protocol), ports=frozenset())) == []


def test_bound_states_by_protocol() -> None:
    data = record(state=7) + record(inode=101, protocol=17, state=7)
    found = bpf_records.decode(data, EVERYTHING).sockets
    assert [one.state for one in found] == [State.BOUND_INACTIVE, State.BOUND]


def test_states_of_later_kernels_are_passed_over() -> None:
    assert bpf_records.decode(record(state=40) + record(protocol=33), EVERYTHING).sockets == []


@pytest.mark.parametrize(
    "data",
    [
        record()[:-1],
        record() + b"x",
        record(mark=2 << 16 | 96),
        record(mark=1 << 16 | 104),
        record() + record(mark=0),
        record(family=1),
        b"\0" * 96,
    ],
)
def test_other_versions_and_broken_records_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        bpf_records.decode(data, EVERYTHING)


@given(st.binary(max_size=400))
def test_nothing_but_the_declared_error_escapes(data: bytes) -> None:
    try:
        bpf_records.decode(data, EVERYTHING)
    except WireError:
        pass


@given(st.lists(st.binary(min_size=92, max_size=92), max_size=6), st.booleans())
def test_hostile_fields_make_sockets_or_the_declared_error(bodies: list[bytes], connections: bool) -> None:
    data = b"".join(struct.pack("=I", MARK) + body for body in bodies)
    try:
        found = bpf_records.decode(data, Query(frozenset(Protocol), connections=connections))
    except WireError:
        return
    assert {one.inode for one in found.sockets} == set(found.holders)
    assert all(found.holders.values())


@given(
    st.integers(0, 0xFFFF),
    st.sampled_from([(6, state) for state in range(1, 13)] + [(17, 1), (17, 7)]),
    st.sampled_from([2, 10]),
    st.binary(min_size=16, max_size=16),
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**63),
)
def test_what_is_in_a_record_comes_out(
    port: int, kind: tuple[int, int], family: int, address: bytes, inode: int, start: int
) -> None:
    data = record(port=port, protocol=kind[0], state=kind[1], family=family, address=address, inode=inode, start=start)
    (one,) = bpf_records.decode(data, EVERYTHING).sockets
    assert one.port == port
    assert one.inode == inode
    assert one.address.packed == (address if family == 10 else address[:4])
    assert bpf_records.decode(data, EVERYTHING).holders[inode] == (Holder(7, start // 10_000_000, 3),)


@given(st.frozensets(st.integers(0, 0xFFFF), max_size=50), st.integers(0, 0xFFFF))
def test_the_filter_never_leaves_out_what_is_asked(ports: frozenset[int], other: int) -> None:
    packed = bpf_records.filter_of(Query(frozenset(Protocol), ports=ports))
    assert len(packed) == bpf_records.FILTER_SIZE
    wanted, *words = struct.unpack("=65Q", packed)
    assert wanted == 1 | 2 | 8

    def passes(port: int) -> bool:  # as in sockets.bpf.c
        return bool(words[port >> 6 & 63] >> (port & 63) & 1)

    assert all(passes(port) for port in ports)
    assert passes(other) == any(port % 4096 == other % 4096 for port in ports)


def test_the_filter_tells_protocols_and_states() -> None:
    def wanted(query: Query) -> int:
        return int(struct.unpack_from("=Q", bpf_records.filter_of(query))[0])

    assert wanted(Query(frozenset([Protocol.TCP]))) == 1
    assert wanted(Query(frozenset([Protocol.UDP]), connections=True)) == 2 | 4
    assert wanted(Query(frozenset())) == 0
