"""What a check sends to a database, and what a page leaves alone."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator

import pytest

from homeport.model.case import Wish
from homeport.model.diagnosis import Verdict
from homeport.operations.check import check
from homeport.operations.results import diagnosis
from homeport.operations.scene import survey
from homeport.operations.world import brief

HOST = "127.83.24.1"
STARTUP = struct.pack("!I", 3 << 16)
ENCRYPTION = (struct.pack("!I", 80877103), struct.pack("!I", 80877104))  # SSLRequest, GSSENCRequest
FATAL = b"SFATAL\0C57P03\0Mthe database system is starting up\0\0"


class Database(socketserver.ThreadingTCPServer):
    """Answers as PostgreSQL does while it comes up, and keeps what it was asked."""

    daemon_threads = True
    asked: list[bytes]


class Session(socketserver.BaseRequestHandler):
    server: Database
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(20)
        try:
            while data := self.request.recv(1024):
                self.server.asked.append(data)
                if data[4:8] in ENCRYPTION:
                    self.request.sendall(b"N")
                    continue
                if data[4:8] == STARTUP:
                    self.request.sendall(b"E" + struct.pack("!I", 4 + len(FATAL)) + FATAL)
                return
        except OSError:  # the client went away
            pass


@pytest.fixture
def database() -> Iterator[Database]:
    with Database((HOST, 0), Session) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def started(one: Database) -> bool:
    return any(data[4:8] == STARTUP for data in one.asked)


def test_a_check_asks_whether_a_database_serves(database: Database) -> None:
    found = check(f"postgresql://{HOST}:{database.server_address[1]}/shop", Wish(seconds=10.0))
    assert found.verdict is Verdict.STARTING
    assert started(database)


def test_a_page_does_not(database: Database) -> None:
    text = f"{HOST}:{database.server_address[1]}"
    found = diagnosis(text, survey(text, None))
    assert found.verdict is Verdict.OK
    assert found.service is not None
    assert found.service.protocol == "postgresql"
    assert not started(database)


def test_who_asks_for_a_page_of_the_web_asks_no_database(database: Database) -> None:
    found = check(f"http://{HOST}:{database.server_address[1]}/", Wish(seconds=10.0))
    assert found.verdict is Verdict.WRONG_PROTOCOL
    assert not started(database)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("bad", "bad"),
        ("Error: boom\n    at x\n    at y", "Error: boom"),
        ("ERROR: broke\nTraceback:\n  frame\nValueError: boom\n", "ERROR: broke … ValueError: boom"),
        (" \n", ""),
    ],
)
def test_an_entry_of_a_log_in_a_line(text: str, wanted: str) -> None:
    assert brief(text) == wanted
