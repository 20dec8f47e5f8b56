"""Whether a service serves, by what it says to the question for it. The messages are those of PostgreSQL 15."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.services.speakers import postgresql


class Server:
    """Says one thing, whatever it is asked."""

    def __init__(self, said: bytes) -> None:
        self.said = said
        self.asked = b""

    def send(self, data: bytes) -> None:
        self.asked += data

    def receive(self, complete: object = None) -> bytes:
        assert callable(complete)
        whole = next((end for end in range(len(self.said) + 1) if complete(self.said[:end])), len(self.said))
        return self.said[:whole]


def error(code: str, message: str) -> bytes:
    fields = b"".join(part.encode() + b"\0" for part in ("SFATAL", "VFATAL", f"C{code}", f"M{message}")) + b"\0"
    return b"E" + struct.pack("!I", 4 + len(fields)) + fields


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        (error("57P03", "the database system is starting up"), ("state", "starting")),
        (error("57P03", "the database system is not yet accepting connections"), ("state", "starting")),
        (
            error("57P03", "the database system is shutting down"),
            ("access", "the database system is shutting down"),
        ),
        (error("53300", "sorry, too many clients already"), ("access", "sorry, too many clients already")),
        (error("28000", 'role "pg_homeport" does not exist'), None),
        (error("28000", 'no pg_hba.conf entry for host "127.0.0.1"'), None),
        (error("3D000", 'database "pg_homeport" does not exist'), None),
        (b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", None),
        (b"", None),
        (b"E", None),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", None),
    ],
)
def test_postgresql(said: bytes, fact: tuple[str, str] | None) -> None:
    assert postgresql.ready(Server(said)) == fact


def test_postgresql_is_asked_for_a_role_that_cannot_exist() -> None:
    server = Server(b"")
    postgresql.ready(server)
    size, version = struct.unpack("!II", server.asked[:8])
    assert (size, version) == (len(server.asked), 196608)
    assert server.asked[8:].split(b"\0")[:2] == [b"user", b"pg_homeport"]


@given(st.binary(max_size=64))
def test_no_bytes_raise(said: bytes) -> None:
    for each in (said, b"E" + said):
        postgresql.ready(Server(each))
