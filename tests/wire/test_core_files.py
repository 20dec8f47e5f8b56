"""Core files; a real one is in the tests of `system.log_remains`."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.wire.core_files import Core, core


def made(order: str = "<", kind: int = 4) -> bytes:
    def note(number: int, content: bytes) -> bytes:
        return (
            struct.pack(f"{order}III", 5, len(content), number)
            + b"CORE\0\0\0\0"
            + content
            + b"\0" * (-len(content) % 4)
        )

    status = b"\0" * 12 + struct.pack(f"{order}H", 11) + b"\0" * 322
    info = b"\0" * 24 + struct.pack(f"{order}I", 70) + b"\0" * 12 + b"server".ljust(16, b"\0") + b"\0" * 80
    notes = note(1, status) + note(3, info)
    ident = b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + b"\x01" + b"\0" * 9
    head = ident + struct.pack(f"{order}HHIQQQIHHHHHH", kind, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    part = struct.pack(f"{order}IIQQQQQQ", 4, 0, 120, 0, 0, len(notes), len(notes), 4)
    return head + part + notes


@pytest.mark.parametrize("order", ["<", ">"])
def test_whose_it_is(order: str) -> None:
    assert core(made(order)) == Core(70, "server", 11)


@pytest.mark.parametrize("raw", [b"", b"\x7fELF\x01\x01", made(kind=2), made()[:70], b"no core file"])
def test_what_is_none(raw: bytes) -> None:
    with pytest.raises(WireError):
        core(raw)


@given(st.binary(max_size=300), st.integers(0, 500), st.binary(min_size=1, max_size=8))
def test_nothing_else_escapes(rest: bytes, at: int, change: bytes) -> None:
    for raw in (b"\x7fELF\x02\x01" + rest, made()[:at] + change + made()[at + len(change) :]):
        try:
            core(raw)
        except WireError:
            pass
