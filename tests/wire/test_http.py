from __future__ import annotations

import gzip
import zlib

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.wire import http
from homeport.wire.http import MOST_BODY, MOST_HEAD, MOST_HEADERS, Reader, Response


def read(data: bytes, *, ended: bool = True, method: str = "GET") -> Response:
    found = http.response(data, ended=ended, method=method)
    assert found is not None
    return found


def test_a_response() -> None:
    data = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 5\r\nX: a\r\nX: b\r\n\r\nhellomore"
    headers = (("server", "nginx/1.22.1"), ("content-length", "5"), ("x", "a"), ("x", "b"))
    found = read(data, ended=False)
    assert found == Response("HTTP/1.1", 200, "OK", headers, b"hello", True)
    assert found.header("x") == "a"
    assert found.header("y") is None


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        (b"HTTP/1.0 404 Not Found\r\n\r\n", 404, "Not Found"),
        (b"HTTP/1.1 200\r\n\r\n", 200, ""),
        (b"HTTP/1.1 200 \r\n\r\n", 200, ""),
        (b"HTTP/1.1 200 OK\n\n", 200, "OK"),
        (b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200, "OK"),
        (b"HTTP/1.1  503  Caf\xc3\xa9 closed \r\n\n", 503, "Café closed"),
        (b"HTTP/2 200\r\n\r\n", 200, ""),
        (b"HTTP/1.1 999 What\r\n\r\n", 999, "What"),
    ],
)
def test_status_lines_as_they_are_sent(head: bytes, status: int, reason: str) -> None:
    found = read(head)
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\r\n", b"HT", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nServer: x\r\n", b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/x 200 OK\r\n\r\n",
        b"220 smtp\r\n\r\n", b"<html>\n\n", b"\x15\x03\x01\x00\x02",
    ],
)  # fmt: skip
def test_what_is_no_response(data: bytes) -> None:
    assert http.response(data) is None
    assert http.response(data, ended=False) is None


def test_headers_as_they_are_sent() -> None:
    lines = [b"A : 1", b"no colon", b"Folded: one", b" two", b"\tthree", b": nameless", b"B:", b"\xff\xfe: \xff"]
    found = read(b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(lines) + b"\r\n\r\n")
    assert found.headers == (("a", "1"), ("folded", "one two three"), ("b", ""), ("\ufffd\ufffd", "\ufffd"))


@pytest.mark.parametrize(
    ("head", "body", "read_body", "complete"),
    [
        (b"Content-Length: 5", b"hel", b"hel", False),
        (b"Content-Length: 5\r\nContent-Length: 5", b"hello!", b"hello", True),
        (b"Content-Length: 5, 5", b"hello!", b"hello", True),
        (b"Content-Length: 5\r\nContent-Length: 6", b"hello!", b"hello!", True),
        (b"Content-Length: -5", b"hello", b"hello", True),
        (b"Content-Length: five", b"hello", b"hello", True),
        (b"Content-Length: 0", b"hello", b"", True),
        (b"X: y", b"until it ends", b"until it ends", True),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n", b"hello", True),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"5\r\nhello\r\n0\r\n\r\n", b"hello", True),
        (
            b"Transfer-Encoding: gzip, chunked",
            b"5;x=y\r\nhello\r\n6 \r\n world\r\n0\r\nT: r\r\n\r\n",
            b"hello world",
            True,
        ),
        (b"Transfer-Encoding: chunked", b"5\nhello\n0\n\n", b"hello", True),
        (b"Transfer-Encoding: chunked", b"5\r\nhel", b"hel", False),
        (b"Transfer-Encoding: chunked", b"zz\r\nhello", b"", False),
        (b"Transfer-Encoding: chunked", b"ffffffffffffffffff\r\nhello", b"", False),
        (b"Transfer-Encoding: identity", b"hello", b"hello", True),
    ],
)
def test_bodies(head: bytes, body: bytes, read_body: bytes, complete: bool) -> None:
    data = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body
    found = read(data)
    assert (found.body, found.complete) == (read_body, complete)
    assert found.cut == (not complete)
    byte_by_byte = Reader()
    for one in data:
        byte_by_byte.feed(bytes((one,)))
    byte_by_byte.end()
    assert byte_by_byte.response == found


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 101)])
def test_without_a_body(method: str, status: int) -> None:
    data = f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\nafter".encode()
    reader = Reader(method)
    reader.feed(data)
    assert reader.done
    assert reader.response is not None
    assert reader.response.body == b""
    assert reader.rest == b"after"


def test_interim_responses_are_passed_over() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    assert read(b"HTTP/1.1 100 Continue\r\n\r\n" + interim + b"HTTP/1.1 201 Created\r\n\r\n").status == 201
    endless = Reader()
    endless.feed(interim * 1000)
    assert endless.done


def test_compressed_bodies() -> None:
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    for coding, data in (
        (b"gzip", gzip.compress(b"hello")),
        (b"x-gzip", gzip.compress(b"hello")),
        (b"deflate", zlib.compress(b"hello")),
        (b"deflate", raw.compress(b"hello") + raw.flush()),
        (b"gzip, gzip", gzip.compress(gzip.compress(b"hello"))),
        (b"identity", b"hello"),
    ):
        found = read(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\n\r\n" + data)
        assert (found.body, found.cut) == (b"hello", False), coding
    broken = read(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhello")
    assert (broken.body, broken.cut) == (b"hello", True)
    unknown = read(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nhello")
    assert (unknown.body, unknown.cut) == (b"hello", True)


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"gzip, gzip", b"gzip, gzip, gzip, gzip, gzip"])
def test_bombs(coding: bytes) -> None:
    data = zlib.compress(bytes(100 << 20), 9) if coding == b"deflate" else gzip.compress(bytes(100 << 20), 9)
    for _ in range(coding.count(b",")):
        data = gzip.compress(data)
    found = read(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\n\r\n" + data)
    assert len(found.body) <= MOST_BODY
    assert found.cut


def test_bounds() -> None:
    reader = Reader()
    reader.feed(b"HTTP/1.1 200 OK\r\n")
    while not reader.done:
        reader.feed(b"X: yyyyyyyyyyyyyyyyyyyyyyy\r\n" * 100)
    assert reader.wrong == f"its header does not end within {MOST_HEAD // 1024} KB"
    assert reader.response is None
    many = read(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n")
    assert len(many.headers) == MOST_HEADERS
    long = Reader()
    long.feed(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MOST_BODY + 1))
    assert long.done
    assert long.response is not None
    assert (len(long.response.body), long.response.cut) == (MOST_BODY, True)


def test_complete() -> None:
    assert not http.complete(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    assert not http.complete(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")
    assert http.complete(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    assert http.complete(b"nothing of that kind")


def test_a_request() -> None:
    data = http.request("GET", "/a b?q=ä%20", "localhost:3000", (("User-Agent", "x"),))
    assert data == b"GET /a%20b?q=%C3%A4%20 HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: x\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "target", "host", "headers"),
    [
        ("GET /", "/", "h", ()), ("", "/", "h", ()), ("GET", "", "h", ()), ("GET", "/", "h\r\nX: y", ()),
        ("GET", "/", "h", (("a b", "c"),)), ("GET", "/", "h", (("a", "b\nc"),)), ("GET", "/", "h\x00", ()),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(method: str, target: str, host: str, headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(WireError):
        http.request(method, target, host, headers)


@given(st.text(min_size=1), st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=3))
def test_requests_are_what_h11_takes_or_none(target: str, host: str, headers: list[tuple[str, str]]) -> None:
    """Whatever is put in, nothing slips out of its place."""
    try:
        data = http.request("GET", target, host, headers)
    except WireError:
        return
    assert data.count(b"\r\n\r\n") == 1
    assert data.count(b"\n") == 3 + len(headers)
    assert data.split(b"\r\n")[0].count(b" ") == 2


@given(st.binary(max_size=2000))
def test_any_bytes(data: bytes) -> None:
    for text in (data, b"HTTP/1.1 200 OK\r\n" + data, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data):
        http.response(text)
        http.complete(text)


PIECES = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 7\r\n",
     b"\r\n", b"\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"Content-Encoding: gzip\r\n", gzip.compress(b"x"), b" fold\r\n",
     b":", b"X: y\r\n"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=12), st.lists(st.integers(1, 40), max_size=8))
def test_in_whatever_pieces_it_comes(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    whole, pieces = Reader(), Reader()
    whole.feed(data)
    rest = data
    for cut in cuts:
        pieces.feed(rest[:cut])
        rest = rest[cut:]
    pieces.feed(rest)
    whole.end()
    pieces.end()
    assert whole.response == pieces.response
    assert whole.wrong == pieces.wrong


HEADERS = st.lists(
    st.tuples(
        st.text("abcXYZ-", min_size=1, max_size=8).map(lambda name: f"x-{name}"),
        st.text("abc 0;=/", max_size=12).map(str.strip),
    ),
    max_size=4,
)


@given(st.integers(200, 599), HEADERS, st.binary(max_size=200), st.booleans())
def test_agrees_with_h11(status: int, headers: list[tuple[str, str]], body: bytes, chunked: bool) -> None:
    """What the strict library writes is read as what it was given."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    while not isinstance(server.next_event(), h11.EndOfMessage):
        pass
    framing = ("transfer-encoding", "chunked") if chunked else ("content-length", str(len(body)))
    fields = [(name.encode(), value.encode()) for name, value in (*headers, framing)]
    data = server.send(h11.Response(status_code=status, headers=fields, reason=b"Why"))
    assert data is not None
    if status not in (204, 304):
        data += server.send(h11.Data(data=body)) or b""
        data += server.send(h11.EndOfMessage()) or b""
    found = read(data)
    assert (found.status, found.complete) == (status, True)
    assert found.body == (body if status not in (204, 304) else b"")
    assert [one for one in found.headers if one[0].startswith("x-")] == [
        (name.lower(), value) for name, value in headers
    ]
