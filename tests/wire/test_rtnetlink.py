from __future__ import annotations

import contextlib
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.wire import rtnetlink
from homeport.wire.rtnetlink import Link, LinkAddress, RouteRecord, decode

# buffers of Linux 6.18: the address 127.0.0.1 of the loopback interface, and the route to it
ADDRESS = bytes.fromhex(
    "4c0000001400020001000000795e0000020880fe01000000080001007f000001080002007f000001070003006c6f0000080008008000000014"
    "000600ffffffffffffffff1600000016000000"
)
ROUTE = bytes.fromhex(
    "680000001800000001000000795e000002200000fe0000020002008008000f00fe000000080001007f0000010800040001000000080007007f"
    "000001080019000000000024000c0002000000baf40000000000000000000000000000000000000000000000000000"
)


def message(kind: int, body: bytes, sequence: int = 1, flags: int = 0) -> bytes:
    padded = body + bytes(-len(body) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + padded


def attribute(kind: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def link(index: int, *attributes: bytes) -> bytes:
    return message(16, struct.pack("=BxHiII", 0, 772, index, 0, 0) + b"".join(attributes))


def address(family: int, prefix: int, index: int, *attributes: bytes) -> bytes:
    return message(20, struct.pack("=BBBBI", family, prefix, 0, 0, index) + b"".join(attributes))


def route(family: int, kind: int, *attributes: bytes) -> bytes:
    return message(24, struct.pack("=BBBBBBBBI", family, 32, 0, 0, 254, 0, 0, kind, 0) + b"".join(attributes))


DONE = message(3, bytes(4))


def test_a_recorded_address() -> None:
    assert decode(ADDRESS).addresses == [LinkAddress(1, IPv4Address("127.0.0.1"), 8, None)]


def test_a_recorded_route() -> None:
    assert decode(ROUTE, 1).routes == [RouteRecord("local", 1, IPv4Address("127.0.0.1"), None)]


def test_several_records_and_the_end() -> None:
    data = link(1, attribute(3, b"lo\0")) + link(7, attribute(3, b"eth0\0"), attribute(999, b"future")) + DONE + ADDRESS
    batch = decode(data)
    assert batch.links == [Link(1, "lo"), Link(7, "eth0")]
    assert batch.done
    assert batch.addresses == []


def test_names_that_are_no_text_are_kept() -> None:
    assert decode(link(3, attribute(3, b"\xff\xfe\0"))).links == [Link(3, "\udcff\udcfe")]


def test_addresses_of_both_families_with_broadcast() -> None:
    four = address(2, 24, 2, attribute(1, b"\xc0\0\2\1"), attribute(2, b"\xc0\0\2\1"), attribute(4, b"\xc0\0\2\xff"))
    six = address(10, 64, 2, attribute(1, IPv6Address("fe80::1").packed))
    assert decode(four + six).addresses == [
        LinkAddress(2, IPv4Address("192.0.2.1"), 24, IPv4Address("192.0.2.255")),
        LinkAddress(2, IPv6Address("fe80::1"), 64, None),
    ]


def test_of_a_point_to_point_link_the_local_address_counts() -> None:
    data = address(2, 24, 9, attribute(1, b"\x0a\0\0\2"), attribute(2, b"\x0a\0\0\1"))
    assert decode(data).addresses == [LinkAddress(9, IPv4Address("10.0.0.1"), 32, None)]


def test_routes() -> None:
    data = route(2, 1, attribute(4, struct.pack("=i", 4)), attribute(5, b"\xc0\0\2\1"), attribute(7, b"\xc0\0\2\2"))
    assert decode(data).routes == [RouteRecord("unicast", 4, IPv4Address("192.0.2.2"), IPv4Address("192.0.2.1"))]


def test_a_gateway_of_the_other_family() -> None:
    data = route(2, 1, attribute(18, struct.pack("=H", 10) + IPv6Address("fe80::1").packed))
    assert decode(data).routes == [RouteRecord("unicast", None, None, IPv6Address("fe80::1"))]


def test_what_later_kernels_add_is_passed_over() -> None:
    unknown_family = address(200, 8, 1, attribute(1, b"xyz")) + route(200, 1)
    unknown_kind = route(2, 77, attribute(0x8000 | 4, struct.pack("=i", 4)))
    assert decode(message(99, b"whatever") + unknown_family + unknown_kind).routes == [RouteRecord(None, 4, None, None)]


def test_an_error_ends_the_answer_and_an_acknowledgement_is_none() -> None:
    assert decode(message(2, struct.pack("=i", -101) + bytes(16))).error == 101
    assert decode(message(2, struct.pack("=i", 0) + bytes(16))).error is None


def test_answers_to_other_requests_are_left_out() -> None:
    assert decode(message(16, b"", sequence=5), 6).links == []
    assert decode(message(3, bytes(4), sequence=5), 6).done is False


def test_an_interrupted_dump_is_told() -> None:
    assert decode(message(3, bytes(4), flags=0x10)).interrupted


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("=IHHII", 400, 16, 0, 1, 0),
        struct.pack("=IHHII", 3, 16, 0, 1, 0),
        struct.pack("=IHHII", 0, 16, 0, 1, 0),
        message(16, b"short"),
        message(20, b"short"),
        message(24, b"short"),
        message(2, b"x"),
        link(1, struct.pack("=HH", 3, 3)),
        link(1, struct.pack("=HH", 400, 3)),
        address(2, 24, 1, attribute(2, b"abc")),
        address(2, 99, 1, attribute(2, b"abcd")),
        route(2, 1, attribute(4, b"x")),
        route(2, 1, attribute(18, b"x")),
        route(2, 1, attribute(18, struct.pack("=H", 10) + b"abcd")),
    ],
)
def test_what_is_no_netlink_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data)


@given(st.binary(max_size=200))
def test_nothing_but_a_wire_error_escapes(data: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(data)


@given(st.sampled_from([16, 20, 24, 2, 3]), st.binary(max_size=120))
def test_nothing_but_a_wire_error_escapes_from_a_record(kind: int, body: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(message(kind, body))


@given(st.integers(0, 104), st.sampled_from([ADDRESS, ROUTE]))
def test_cut_short(end: int, data: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(data[:end])


@given(st.ip_addresses(), st.one_of(st.none(), st.integers(0, 2**31 - 1)))
def test_a_request_holds_its_destination(destination: IPv4Address | IPv6Address, interface: int | None) -> None:
    data = rtnetlink.route_request(destination, 7, interface)
    length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data)
    assert (length, kind, flags, sequence) == (len(data), 26, 1, 7)
    size = 4 if destination.version == 4 else 16
    assert ip_address(data[32 : 32 + size]) == destination
    if interface is not None:
        assert struct.unpack_from("=i", data, len(data) - 4) == (interface,)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_a_request_tells_its_service(destination: IPv4Address | IPv6Address, port: int) -> None:
    """RTA_IP_PROTO and RTA_DPORT, the port in network byte order (linux/rtnetlink.h)."""
    plain = rtnetlink.route_request(destination, 7)
    more = rtnetlink.route_request(destination, 7, service=(6, port))[len(plain) :]
    assert more == struct.pack("=HHB3x", 5, 27, 6) + struct.pack("=HH", 6, 29) + struct.pack("!H2x", port)


def test_what_a_link_is_made_of() -> None:
    info = attribute(18, attribute(1, b"veth\0"))
    numbers = [attribute(kind, struct.pack("=I", number)) for kind, number in ((10, 7), (5, 9), (37, 3))]
    data = link(4, attribute(3, b"eth0\0"), info, *numbers)
    assert decode(data).links == [Link(4, "eth0", "veth", 7, 9, 0, 3)]
    unassigned = link(4, attribute(3, b"eth0\0"), attribute(37, struct.pack("=i", -1)))
    assert decode(unassigned).links == [Link(4, "eth0")]
    with pytest.raises(WireError):
        decode(link(4, attribute(3, b"eth0\0"), attribute(10, b"\1")))


def test_the_number_of_a_namespace() -> None:
    assert rtnetlink.netns_id(message(88, bytes(4) + attribute(1, struct.pack("=i", 5)))) == 5
    assert rtnetlink.netns_id(message(88, bytes(4) + attribute(1, struct.pack("=i", -1)))) is None
    assert rtnetlink.netns_id(message(2, bytes(20))) is None
    with pytest.raises(WireError):
        rtnetlink.netns_id(b"")


@given(st.binary(max_size=80))
def test_any_bytes_are_a_namespace_or_refused(data: bytes) -> None:
    with contextlib.suppress(WireError):
        rtnetlink.netns_id(message(88, data))


def test_a_request_tells_its_source_port_and_user() -> None:
    """RTA_SPORT in network byte order, RTA_UID in the host's."""
    destination = IPv4Address("10.0.0.1")
    plain = rtnetlink.route_request(destination, 7, service=(6, 80))
    more = rtnetlink.route_request(destination, 7, service=(6, 80), source_port=8080)[len(plain) :]
    assert more == struct.pack("=HH", 6, 28) + struct.pack("!H2x", 8080)
    assert struct.pack("=HHI", 8, 25, 1000) in rtnetlink.route_request(destination, 7, uid=1000)
