from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.wire import http, websocket

NONCE = b"the sample nonce"
AGREED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def test_the_example_of_the_rfc() -> None:
    """RFC 6455 §1.3."""
    assert b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" in websocket.request("/chat", "localhost", NONCE)
    assert websocket.accept(NONCE) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    found = http.response(AGREED, ended=False)
    assert found is not None
    assert websocket.refusal(found, NONCE) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((b"101 Switching Protocols", b"426 Upgrade Required"), "it answered 426 Upgrade Required"),
        ((b"Upgrade: websocket\r\n", b""), "101 without `Upgrade: websocket`"),
        ((b"Connection: Upgrade", b"Connection: close"), "101 without `Connection: Upgrade`"),
        ((b"s3pP", b"xxxx"), "its Sec-WebSocket-Accept is not the one of this handshake"),
    ],
)
def test_what_is_no_agreement(change: tuple[bytes, bytes], why: str) -> None:
    found = http.response(AGREED.replace(*change))
    assert found is not None
    assert websocket.refusal(found, NONCE) == why


def test_names_are_compared_without_regard_to_case() -> None:
    found = http.response(
        AGREED.replace(b"websocket", b"WebSocket").replace(b"Connection: Upgrade", b"Connection: keep-alive, upgrade")
    )
    assert found is not None
    assert websocket.refusal(found, NONCE) is None


def test_closing() -> None:
    frame = websocket.close(b"\x01\x02\x03\x04")
    assert frame == b"\x88\x82\x01\x02\x03\x04" + bytes((0x03 ^ 1, 0xE8 ^ 2))
    for wrong in (b"", b"12345"):
        with pytest.raises(WireError):
            websocket.close(wrong)
    with pytest.raises(WireError):
        websocket.request("/", "h", b"short")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x88\x00", True),
        (b"\x88\x02\x03\xe8", True),
        (b"\x81\x05hello\x88\x00", True),
        (b"\x82\x7e\x00\x05hello\x88\x00", True),
        (b"\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x05hello\x88\x00", True),
        (b"\x81\x85", False),
        (b"", None),
        (b"\x81", None),
        (b"\x81\x05hel", None),
        (b"\x82\x7e\x00", None),
        (b"\x81\x05\x88\x00\x88\x00\x88", None),
    ],
)
def test_a_close_among_frames(data: bytes, found: bool | None) -> None:
    assert websocket.find_close(data) is found


@given(st.binary(), st.text(), st.binary(max_size=20))
def test_any_bytes(data: bytes, text: str, nonce: bytes) -> None:
    websocket.find_close(data)
    try:
        websocket.request(text, text, nonce)
    except WireError:
        pass
    found = http.response(b"HTTP/1.1 101 X\r\n" + data)
    if found is not None:
        assert websocket.refusal(found, NONCE) is not None
