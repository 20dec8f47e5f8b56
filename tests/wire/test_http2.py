from __future__ import annotations

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.wire import grpc, http2
from homeport.wire.http import MOST_BODY, Response
from homeport.wire.http2 import Conversation

SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def asked() -> tuple[Conversation, H2Connection]:
    """A conversation, and the server that got its request."""
    client = Conversation("GET", "http", "localhost:3000", "/a b", (("X-Y", "z"), ("Connection", "close")))
    server = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    server.initiate_connection()
    events = server.receive_data(client.opening)
    (request,) = [one for one in events if isinstance(one, RequestReceived)]
    fields = {str(name): str(value) for name, value in request.headers or []}
    pseudo = {":method": "GET", ":scheme": "http", ":authority": "localhost:3000", ":path": "/a%20b"}
    assert fields == {**pseudo, "x-y": "z"}
    return client, server


def test_an_answer_with_trailers() -> None:
    client, server = asked()
    server.send_headers(1, [(":status", "200"), ("server", "x")])
    server.send_data(1, b"hello")
    server.send_headers(1, [("grpc-status", "0")], end_stream=True)
    client.feed(server.data_to_send())
    assert client.done
    assert client.began
    assert client.response == Response("HTTP/2", 200, "", (("server", "x"),), b"hello", True)
    assert client.trailers == (("grpc-status", "0"),)
    assert client.wrong is None


def test_a_long_body_is_taken_up_to_its_bound() -> None:
    client, server = asked()
    server.send_headers(1, [(":status", "200")])
    while not client.done:
        room = min(server.local_flow_control_window(1), server.max_outbound_frame_size)
        assert room > 0, "the client gave no more room"
        server.send_data(1, bytes(room))
        back = client.feed(server.data_to_send())
        if not client.done:
            server.receive_data(back)
    assert client.response is not None
    assert (len(client.response.body), client.response.cut) == (MOST_BODY, True)


def test_a_reset_and_a_farewell() -> None:
    client, server = asked()
    server.reset_stream(1, 7)
    client.feed(server.data_to_send())
    assert (client.done, client.wrong) == (True, "it reset the request: REFUSED_STREAM")
    client, server = asked()
    server.close_connection(13, b"use HTTP/1.1")
    client.feed(server.data_to_send())
    assert (client.done, client.wrong) == (True, "it went away: HTTP_1_1_REQUIRED, use HTTP/1.1")
    assert client.response is None


@pytest.mark.parametrize(
    "flood",
    [
        SETTINGS,
        frame(6, 0, 0, b"pingping"),
        frame(8, 0, 0, b"\x00\x00\x00\x01"),
        frame(0, 0, 1),
        frame(9, 0, 1, b"\x00\x01a\x01b"),
        frame(0xFF, 0, 0, b"unknown"),
    ],
)
def test_floods_come_to_an_end(flood: bytes) -> None:
    client, _ = asked()
    client.feed(SETTINGS)
    begun = frame(1, 0 if flood[3] == 9 else 4, 1, b"\x88")
    client.feed(begun)
    fed = 0
    while not client.done and fed < 1 << 20:
        client.feed(flood * 100)
        fed += len(flood) * 100
    assert client.done
    assert client.wrong is not None


def test_what_is_no_http2() -> None:
    client, _ = asked()
    client.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    client.end()
    assert client.done
    assert not client.began
    assert client.response is None


@pytest.mark.parametrize(
    ("data", "speaks"),
    [
        (SETTINGS, True),
        (frame(4, 0, 0, b"\x00\x03\x00\x00\x00\x64"), True),
        (frame(7, 0, 0, bytes(8)), True),
        (frame(7, 0, 0, bytes(8) + b"HTTP/1.x request received"), True),
        (frame(4, 1, 0), False),
        (frame(4, 0, 1), False),
        (frame(4, 0, 0, b"12345"), False),
        (frame(0, 0, 0), False),
        (b"", False),
        (SETTINGS[:-1], False),
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", False),
    ],
)
def test_how_http2_begins(data: bytes, speaks: bool) -> None:
    assert http2.speaks(data) is speaks


@given(st.text(), st.text(), st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=2))
def test_any_request(method: str, authority: str, path: str, headers: list[tuple[str, str]]) -> None:
    try:
        Conversation(method, "http", authority, path, headers)
    except WireError:
        pass


FRAMES = st.builds(frame, st.integers(0, 12), st.integers(0, 255), st.integers(0, 3), st.binary(max_size=40))


@given(st.lists(st.one_of(FRAMES, st.binary(max_size=30), st.just(SETTINGS)), max_size=12))
def test_any_bytes(pieces: list[bytes]) -> None:
    client = Conversation("GET", "http", "h", "/")
    http2.speaks(b"".join(pieces))
    for one in pieces:
        client.feed(one)
    client.end()
    assert client.done
    assert client.response is None or 0 <= client.response.status <= 999


def answer(headers: list[tuple[str, str]], body: bytes = b"") -> Response:
    return Response("HTTP/2", 200, "", tuple(headers), body, True)


def test_grpc_health() -> None:
    assert grpc.health_request() == b"\0\0\0\0\0"
    assert grpc.health_request("shop.Cart") == b"\0\0\0\0\x0b\x0a\x09shop.Cart"
    assert [grpc.serving(bytes((0, 0, 0, 0, 2, 8, one))) for one in (0, 1, 2, 3)] == [*grpc.SERVING]
    assert grpc.serving(b"\0\0\0\0\0") == "UNKNOWN"
    for data in (b"", b"\1\0\0\0\2\x08\x01", b"\0\0\0\0\2\x08\x09", b"\0\0\0\0\2\x10\x01", b"\0\0\0"):
        assert grpc.serving(data) is None
    with pytest.raises(WireError):
        grpc.health_request("x" * 128)


def test_grpc_statuses() -> None:
    kind = ("content-type", "application/grpc+proto")
    assert grpc.status(answer([kind]), (("grpc-status", "0"),)) == ("OK", "")
    assert grpc.status(answer([kind, ("grpc-status", "12"), ("grpc-message", "no")]), ()) == ("UNIMPLEMENTED", "no")
    assert grpc.status(answer([kind]), (("grpc-status", "77"),)) == ("77", "")
    assert grpc.status(answer([kind]), ()) == ("no grpc-status", "")
    assert grpc.status(answer([("content-type", "text/html"), ("grpc-status", "0")]), ()) is None
    assert grpc.status(answer([]), ()) is None


@given(st.binary(), st.text())
def test_any_answer_of_grpc(data: bytes, text: str) -> None:
    grpc.serving(data)
    grpc.status(answer([("content-type", "application/grpc"), ("grpc-status", text)], data), ())
