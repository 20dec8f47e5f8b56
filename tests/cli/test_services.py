"""Services in words."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from homeport.cli import listing
from homeport.cli.ls import screen
from homeport.cli.services import service_text
from homeport.cli.text import Paint
from homeport.model.addresses import Protocol, Scope
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Reason, Unattributed
from homeport.model.services import Service
from homeport.model.snapshot import Listener, Snapshot
from homeport.model.sockets import Socket, State

NGINX = Service("http", "nginx", "1.22.1", False, Confidence.CERTAIN, (Evidence("the wire", "x"),))


@pytest.mark.parametrize(
    ("service", "text"),
    [
        (NGINX, "nginx 1.22.1 (http)"),
        (NGINX._replace(version=None, tls=True), "nginx (http in TLS)"),
        (NGINX._replace(product=None, version=None, protocol="ssh"), "ssh"),
        (NGINX._replace(product=None, version=None, protocol="tls", tls=True), "tls"),
        (NGINX._replace(version=None, protocol="redis", confidence=Confidence.LIKELY), "nginx (redis, likely)"),
        (NGINX._replace(product=None, protocol="redis", confidence=Confidence.LIKELY), "redis (likely)"),
    ],
)
def test_words(service: Service, text: str) -> None:
    assert service_text(service) == text


def test_what_servers_say_is_made_harmless() -> None:
    hostile = NGINX._replace(product="\x1b[2Jx\n\u202e")
    assert not {"\x1b", "\n", "\u202e"} & set(service_text(hostile))


def snapshot(*services: Service | None) -> Snapshot:
    listeners = []
    for port, service in enumerate(services, 1):
        made = Socket(
            Protocol.TCP, State.LISTEN, ip_address("127.0.0.1"), port, None, None, 9, port, 1, 0, 0, 5, None, None
        )  # fmt: skip
        listeners.append(Listener(made, Scope.MACHINE, (), Unattributed(Reason.UNKNOWN, "built", 0), service))
    return Snapshot(datetime.now(UTC), "built", tuple(listeners), (), {}, ())


def test_the_column_stands_beside_the_address() -> None:
    head, known, unknown = listing.lines(snapshot(NGINX, None), services=True)
    assert head.split()[:4] == ["PORT", "PROTO", "ADDRESS", "SERVICE"]
    assert "nginx 1.22.1 (http)" in known
    assert unknown.split()[3] == "?"
    assert "SERVICE" not in listing.lines(snapshot(NGINX))[0]
    assert "SERVICE" in listing.lines(snapshot(NGINX), services=True, wide=True, connections=True)[0]


def test_watching_shows_it() -> None:
    request = listing.Request(services=True)
    printed = screen(snapshot(NGINX), request, Paint(), frozenset(), 2.0, os.terminal_size((100, 20)))
    assert any("nginx 1.22.1 (http)" in line for line in printed)
