"""The little of BER (X.690) that LDAP and SNMP need: short definite lengths out, any definite lengths in."""

from __future__ import annotations

from collections.abc import Iterator

from homeport.services.speakers.parsing import Cursor

INTEGER, OCTETS, SEQUENCE, SET = 0x02, 0x04, 0x30, 0x31


def element(tag: int, *parts: bytes) -> bytes:
    """One element around `parts`, of up to 65,535 bytes."""
    body = b"".join(parts)
    size = len(body)
    length = (
        bytes((size,)) if size < 128 else b"\x81" + bytes((size,)) if size < 256 else b"\x82" + size.to_bytes(2, "big")
    )
    return bytes((tag,)) + length + body


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A number that is not negative."""
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of `data`, tag and content; struct.error where they end too early."""
    cursor = Cursor(data)
    while cursor.left:
        tag = cursor.number(1)
        size = cursor.number(1)
        if size & 0x80:
            size = cursor.number(size & 0x7F) if 0 < size & 0x7F <= 4 else cursor.left + 1
        yield tag, cursor.take(size)


def whole(data: bytes) -> int | None:
    """How long the SEQUENCE is that `data`, at least 6 bytes, begins with; None: none, or too long to be an answer."""
    if data[0] != SEQUENCE:
        return None
    size = data[1]
    if size < 0x80:
        return 2 + size
    count = size & 0x7F
    total = int.from_bytes(data[2 : 2 + count], "big") if 0 < count <= 4 else 1 << 20
    return 2 + count + total if total < 1 << 16 else None
