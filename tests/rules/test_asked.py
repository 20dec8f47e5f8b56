from __future__ import annotations

import contextlib
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import AddressError
from homeport.model.addresses import Endpoint, IPAddress, Protocol
from homeport.rules.asked import DEFAULT_PORTS, MAX_LENGTH, parse

TCP, UDP = Protocol.TCP, Protocol.UDP


@pytest.mark.parametrize(
    ("text", "name", "protocol", "address", "port"),
    [
        ("62893", None, None, None, 62893),
        (":62893", None, None, None, 62893),
        ("*:80", None, None, None, 80),
        ("  127.0.0.1:62893\n", None, None, "127.0.0.1", 62893),
        ("127.0.0.1", None, None, "127.0.0.1", None),
        ("localhost:62893", "localhost", None, None, 62893),
        ("LocalHost:62893", "localhost", None, None, 62893),
        ("localhost", "localhost", None, None, None),
        ("localhost.:80", "localhost.", None, None, 80),
        ("my_db:5432", "my_db", None, None, 5432),
        ("[::1]:62893", None, None, "::1", 62893),
        ("[::1]", None, None, "::1", None),
        ("::1", None, None, "::1", None),
        ("::", None, None, "::", None),
        (":::80", None, None, "::", 80),
        ("fe80::1%eth0", None, None, "fe80::1%eth0", None),
        ("[fe80::1%eth0]:80", None, None, "fe80::1%eth0", 80),
        ("http://[fe80::1%25eth0]:80/", None, TCP, "fe80::1%eth0", 80),
        ("::ffff:127.0.0.1", None, None, "::ffff:127.0.0.1", None),
        ("[::ffff:127.0.0.1]:8080", None, None, "::ffff:127.0.0.1", 8080),
        ("0.0.0.0:80", None, None, "0.0.0.0", 80),
        (":5353/udp", None, UDP, None, 5353),
        ("8080/TCP", None, TCP, None, 8080),
        ("127.0.0.1:53/udp", None, UDP, "127.0.0.1", 53),
        ("tcp://1.2.3.4:5", None, TCP, "1.2.3.4", 5),
        ("udp://127.0.0.1:53", None, UDP, "127.0.0.1", 53),
        ("tcp://:8080", None, TCP, None, 8080),
        ("http://localhost:62893/path", "localhost", TCP, None, 62893),
        ("http://localhost:/", "localhost", TCP, None, 80),
        ("HTTPS://localhost", "localhost", TCP, None, 443),
        ("ws://localhost", "localhost", TCP, None, 80),
        ("postgres://db/shop", "db", TCP, None, 5432),
        ("postgresql+psycopg://db/shop", "db", TCP, None, 5432),
        ("jdbc:postgresql://localhost/db", "localhost", TCP, None, 5432),
        ("mongodb+srv://db/x", "db", TCP, None, None),
        ("nonsuch://db/x", "db", TCP, None, None),
        ("localhost:3000/@vite/client?x#y", "localhost", None, None, 3000),
        ("bücher.example:80", "xn--bcher-kva.example", None, None, 80),
        ("127.0.0.1.:80", None, None, "127.0.0.1", 80),
        ("127.0.0.53%lo:53", None, None, "127.0.0.53", 53),
        ("127.0.0.1:80/8", None, None, "127.0.0.1", 80),
    ],
)
def test_what_a_person_has_at_hand(
    text: str, name: str | None, protocol: Protocol | None, address: str | None, port: int | None
) -> None:
    asked = parse(text)
    assert asked.name == name
    assert asked.endpoint == Endpoint(protocol, None if address is None else ip_address(address), port)


@pytest.mark.parametrize(
    "text",
    ["127.1", "0x7f.1", "0177.0.0.1", "0x7f000001", "http://2130706433/", "http://017700000001:80", "127.0.1:80"],
)
def test_old_notations_of_an_address_are_read_as_inet_aton_does_and_that_is_said(text: str) -> None:
    asked = parse(text)
    assert asked.endpoint.address == IPv4Address("127.0.0.1")
    assert any("inet_aton(3)" in note and "127.0.0.1" in note for note in asked.notes)


@pytest.mark.parametrize("text", ["2130706433", "017700000001"])
def test_a_bare_number_is_a_port_and_the_address_that_it_may_mean_is_named(text: str) -> None:
    with pytest.raises(AddressError, match=r"127\.0\.0\.1") as caught:
        parse(text)
    assert caught.value.why is not None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("0", "bind(2)"),
        (":0", "bind(2)"),
        ("http://localhost:0/", "bind(2)"),
        ("65536", "65535"),
        (":99999999", "65535"),
        ("-1", "between 1 and 65535"),
        (":-1", "no port"),
        ("08080", "write 8080"),
        ("localhost:8_080", "no port"),
        ("\uff18\uff10", "0 to 9"),
        ("localhost:\uff18\uff10", "no port"),
        ("localhost:", "no port after"),
        ("localhost:ssh", "22"),
        ("127.0.0.1 80", "write 127.0.0.1:80"),
        ("a b", "blank"),
        ("a\0b", "control"),
        ("a\x1b[31m", "control"),
        ("\udcff:80", "no text"),
        ("\u202e80", "control"),
        ("127.0.0.256", "'256' is more than 255"),
        ("127.0.0.09", "octal"),
        ("1.2.3.4.5", "more than four"),
        ("0x0x1", "no IPv4 address"),
        ("0x-1", "no IPv4 address"),
        ("example.123", "ends in a number"),
        ("10.0.0.0/8", "network"),
        ("[::1", "brackets"),
        ("[::1]80", "brackets"),
        ("[127.0.0.1]:80", "brackets"),
        ("[::g]:80", "no IPv6"),
        ("1:2:3", "no IPv6"),
        ("fe80::1%", "zone"),
        ("fe80::1%averyveryverylongname", "zone"),
        ("host%eth0:80", "zones"),
        ("http://::1/", "brackets"),
        ("http:///path", "no host"),
        ("/", "no host"),
        ("*", "neither"),
        ("://x", "scheme"),
        ("1a://x", "scheme"),
        ("sqlite:///x", "sqlite"),
        ("unix:///run/x.sock", "unix"),
        ("mongodb://a:1,b:2/x", "several hosts"),
        ("a..b:1", "two dots"),
        ("-a:1", "hyphen"),
        ("a!b:1", "letters"),
        ("a" * 64 + ":1", "63"),
        (".".join(["a" * 60] * 5) + ":1", "253"),
        ("x" * (MAX_LENGTH + 1), "characters"),
        ("1" * 10_000_000, "10000000 characters"),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(text: str, part: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse(text)
    said = str(caught.value)
    assert any(one in said for one in part.split("|")), said
    assert len(said) < 400
    assert said.isprintable() or "\n" in said


@pytest.mark.parametrize(
    "text",
    [
        "postgres://user:hunter2@db:5432/shop",
        "postgres://user:hunter2@db:99999/shop",
        "postgres://user:hunter2/x@db/shop",
        "postgres://user:1/hunter2@db/shop",
        "http://hunter2@localhost:80/a",
        "http://localhost:80/a?token=hunter2#hunter2",
        "user:hunter2@localhost:5432",
        "user:hunter2@local host",
        "user:hunter2@:x",
        "redis://:hunter2@[::1:6379",
        "mysql://root:hun@ter2@localhost:hunter2",
        "mysql://root:hunter2?x@localhost",
    ],
)
def test_secrets_are_never_shown_again(text: str) -> None:
    try:
        asked = parse(text)
        said = "".join((asked.text, *asked.notes, str(asked.endpoint)))
    except AddressError as error:
        said = str(error)
    assert "hunter2" not in said.replace("localhost:hunter2", "")
    assert "hun@" not in said


def test_userinfo_is_left_out_and_that_is_said() -> None:
    asked = parse("postgres://user:hunter2@db/shop?sslmode=off")
    assert asked.text == "postgres://***@db/shop"
    assert asked.path == "/shop?sslmode=off"
    assert asked.scheme == "postgres"
    assert any("left out" in note for note in asked.notes)


def test_the_shown_text_asks_the_same_again() -> None:
    for text in ("postgres://user:hunter2@db/shop", ":53/UDP", "http://a/b?c", "[fe80::1%eth0]:80", "jdbc:mysql://x"):
        asked = parse(text)
        again = parse(asked.text)
        assert (again.name, again.endpoint) == (asked.name, asked.endpoint)


def test_an_ipv6_address_that_may_be_meant_with_a_port_says_so() -> None:
    asked = parse("::1:8080")
    assert asked.endpoint == Endpoint(None, IPv6Address("::1:8080"), None)
    assert any("[::1]:8080" in note for note in asked.notes)
    assert parse("::1").notes == ()
    assert parse("1:2:3:4:5:6:7:8080").notes == ()


def test_a_scheme_without_a_port_of_its_own_says_so() -> None:
    assert any("homeport knows none" in note for note in parse("nonsuch://db").notes)
    assert all(1 <= port <= 65535 for port in DEFAULT_PORTS.values())


addresses = st.ip_addresses()
ports = st.integers(min_value=1, max_value=65535)
protocols = st.sampled_from([None, TCP, UDP])


@given(st.one_of(st.none(), addresses), ports, protocols)
def test_endpoints_survive_being_written_and_read(
    address: IPAddress | None, port: int, protocol: Protocol | None
) -> None:
    place = "" if address is None else f"[{address}]" if address.version == 6 else str(address)
    text = f"{place}:{port}" + (f"/{protocol}" if protocol else "")
    assert parse(text).endpoint == Endpoint(protocol, address, port)
    assert parse(text).notes == ()
    assert parse(parse(text).text).endpoint == parse(text).endpoint


@given(addresses)
def test_addresses_survive_being_written_and_read(address: IPAddress) -> None:
    assert parse(str(address)).endpoint == Endpoint(None, address, None)


@given(st.text(max_size=60) | st.text("0123456789abcdefx:.[]%/@*?#- ,://", max_size=40))
def test_nothing_but_an_address_error_escapes(text: str) -> None:
    with contextlib.suppress(AddressError):
        asked = parse(text)
        assert asked.text.isprintable()
        assert asked.endpoint.port is None or 1 <= asked.endpoint.port <= 65535
        assert asked.name or asked.endpoint.address is not None or asked.endpoint.port


@given(st.from_regex(r"[a-z0-9_+]{1,8}://[^@/]{0,8}(:[^@/]{0,8}@)?[a-z0-9.:\[\]%]{0,20}(/.{0,9})?", fullmatch=True))
def test_nothing_but_an_address_error_escapes_from_a_url(text: str) -> None:
    with contextlib.suppress(AddressError):
        parse(text)


@given(st.binary(max_size=40))
def test_bytes_of_a_command_line_that_are_no_text(data: bytes) -> None:
    with contextlib.suppress(AddressError):
        parse(data.decode("utf-8", "surrogateescape"))


def test_long_texts_of_one_kind() -> None:
    for character in ("ä", "1", ".", ":", "0x", "a.", "[", "%", "://", "@", "\uff41"):
        with contextlib.suppress(AddressError):
            parse(character * (MAX_LENGTH // len(character)))
