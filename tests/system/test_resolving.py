from __future__ import annotations

import socket
import threading
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from homeport.system import resolving


def test_localhost_as_a_client_gets_it() -> None:
    answer = resolving.resolve("localhost")
    rows = socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)
    assert answer.error is None
    assert [one.address for one in answer.resolutions] == list(dict.fromkeys(ip_address(row[4][0]) for row in rows))
    assert all(one.name == "localhost" for one in answer.resolutions)


def test_the_line_of_the_hosts_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("# first\n127.0.0.1 other\n127.0.0.1 a LOCALHOST\n")
    nsswitch = tmp_path / "nsswitch.conf"
    nsswitch.write_text("hosts: files dns\n")
    monkeypatch.setattr(resolving, "HOSTS", str(file))
    monkeypatch.setattr(resolving, "NSSWITCH", str(nsswitch))
    answers = [("127.0.0.1", 0), ("127.0.0.1", 0), ("::1", 0, 0, 0)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", one) for one in answers])
    answer = resolving.resolve("localhost.")
    assert [(str(one.address), one.source) for one in answer.resolutions] == [
        ("127.0.0.1", f"{file}:3"),
        ("::1", f"resolver ({nsswitch}:1: hosts: files dns)"),
    ]


def test_a_resolver_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        end.wait(60)
        raise OSError("too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        answer = resolving.resolve("slow.example", 0.05)
        assert answer.resolutions == ()
        assert answer.error is not None
        assert "did not answer" in answer.error
    finally:
        end.set()


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), OSError("odd"), ValueError("odd")])
def test_errors_are_told(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: Any, **__: Any) -> list[Any]:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    answer = resolving.resolve("nosuch.example")
    assert answer.error
    assert answer.resolutions == ()


def test_hostile_files_break_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_bytes(b"\xff\x00 \x80\n127.0.0.1 \xff localhost\n")
    monkeypatch.setattr(resolving, "HOSTS", str(tmp_path / "hosts"))
    monkeypatch.setattr(resolving, "NSSWITCH", str(tmp_path / "nosuch"))
    assert resolving.resolve("localhost").error is None
