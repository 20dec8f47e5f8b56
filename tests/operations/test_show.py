"""The page about real sockets of real processes."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from homeport.errors import AddressError
from homeport.model.addresses import Protocol
from homeport.operations.documents.page import document
from homeport.operations.show import remember
from homeport.operations.show import show as page_of

if TYPE_CHECKING:
    from tests.conftest import Homeport

show = functools.partial(page_of, passive=True)  # what is sent is tested where checks are

SERVER = """
import socket, sys
host, port, family = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
server = socket.socket(family)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
if family == socket.AF_INET6:
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
server.bind((host, port))
server.listen(8)
print(server.getsockname()[1], flush=True)
kept = []
while True:
    kept.append(server.accept())
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("HOMEPORT_NO_HISTORY", raising=False)
    return tmp_path / "state"


Serve = Callable[..., tuple[int, int]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers: `serve("::1", port=0, cwd=None, netns=None)` answers with pid and port."""
    with contextlib.ExitStack() as stack:

        def start(host: str, port: int = 0, cwd: Path | None = None, netns: str | None = None) -> tuple[int, int]:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            inside = ["ip", "netns", "exec", netns] if netns else []
            command = [*inside, sys.executable, "-c", SERVER, host, str(port), str(int(family))]
            child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=cwd)
            stack.callback(child.wait, 30)
            stack.callback(child.kill)
            assert child.stdout is not None
            stack.callback(child.stdout.close)
            return child.pid, int(child.stdout.readline())

        yield start


@pytest.fixture
def free() -> Iterator[int]:
    """A port that nobody listens on, for any family; kept by a bound socket."""
    with socket.socket(socket.AF_INET6) as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        keeper.bind(("::", 0))
        yield keeper.getsockname()[1]


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"hp-page-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True, timeout=30)
    try:
        for words in (["link", "set", "lo", "up"], ["addr", "add", "192.0.2.78/32", "dev", "lo"]):
            subprocess.run(["ip", "-n", name, *words], check=True, timeout=30)
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True, timeout=30)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pids(found: object) -> list[int]:
    return [one.listener.owners[0].process.pid for one in found]  # type: ignore[attr-defined]


def test_a_listener_with_its_owner_and_reasons(serve: Serve, tmp_path: Path) -> None:
    pid, port = serve("127.0.0.1", cwd=tmp_path)
    page = show(f"127.0.0.1:{port}")
    (resident,) = page.residents
    owner = resident.listener.owners[0]
    assert (owner.process.pid, owner.process.cwd) == (pid, str(tmp_path))
    assert resident.lineage is not None
    assert os.getpid() in [one.process.pid for one in resident.lineage.ancestors]
    assert resident.provenance is not None
    assert resident.reach[0].text == "programs of this machine only"
    assert not (page.absences or page.project_listeners or page.peers)


def test_each_address_has_its_own_listener_and_the_others_are_near(serve: Serve, free: int) -> None:
    hosts = {host: serve(host, free)[0] for host in ("127.0.0.1", "0.0.0.0", "::1", "::")}
    for typed, host in (("127.0.0.1", "127.0.0.1"), ("127.0.0.7", "0.0.0.0"), ("[::1]", "::1")):
        page = show(f"{typed}:{free}")
        assert pids(page.residents) == [hosts[host]]
        assert {one.owners[0].process.pid for one in page.near} == set(hosts.values()) - {hosts[host]}
    assert set(pids(show(f"0.0.0.0:{free}").residents)) == {hosts["0.0.0.0"], hosts["127.0.0.1"]}
    assert set(pids(show(f":{free}").residents)) == set(hosts.values())
    reached = {str(one.address): one.listener for one in show(f"localhost:{free}").candidates}
    for address, one in reached.items():
        assert one is not None
        assert one.owners[0].process.pid == hosts[address]
    assert "127.0.0.1" in reached


def test_both_ends_of_a_connection_are_named(serve: Serve) -> None:
    pid, port = serve("127.0.0.1")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        (peer,) = show(f"127.0.0.1:{port}").peers
        assert peer.socket.peer_port == client.getsockname()[1]
        assert peer.other_end is not None
        assert peer.other_end.owners[0].process.pid == os.getpid()
        assert show(f"[::1]:{port}").peers == ()
        assert len(show(f":{port}").peers) == 1
    deadline = time.monotonic() + 10
    while (peers := show(f":{port}").peers) and peers[0].owner and not peers[0].owner.owners:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert all(one.owner is not None and one.owner.owners[0].process.pid == pid for one in peers)


class _Page(BaseHTTPRequestHandler):
    """`/` is there, nothing else is."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_what_comes_next_depends_on_whether_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # in no project
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            well, bad = (f"http://127.0.0.1:{server.server_port}/{path}" for path in ("", "bad"))
            assert page_of(well).next == (f"homeport logs {well}", f"homeport reach {well}")
            assert page_of(bad).next == (f"homeport check {bad}", f"homeport logs {bad} --errors")
        finally:
            server.shutdown()
            thread.join()


def test_a_port_that_nobody_has() -> None:
    page = show(f"127.0.0.1:{unused_port()}")
    assert page.residents == ()
    assert "no-socket" in {one.reason for one in page.absences}
    assert page.next


def test_bound_but_not_listening() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        page = show(f"127.0.0.1:{bound.getsockname()[1]}", "netlink")
    (absence,) = page.absences
    assert absence.reason == "bound-not-listening"
    assert f"(pid {os.getpid()})" in absence.statement


def test_remains_of_a_connection() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            accepted, _ = server.accept()
            accepted.close()  # the side that closes first keeps TIME_WAIT
            assert client.recv(1) == b""
    deadline = time.monotonic() + 10
    page = show(f"127.0.0.1:{port}")
    while "time-wait" not in {one.reason for one in page.absences}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        page = show(f"127.0.0.1:{port}")
    assert page.residents == ()


def test_the_local_port_of_an_outgoing_connection(serve: Serve) -> None:
    _, port = serve("127.0.0.1")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        (absence,) = show(f"127.0.0.1:{client.getsockname()[1]}").absences
    assert absence.reason == "local-port"
    assert f"(pid {os.getpid()})" in absence.statement
    assert f"→ 127.0.0.1:{port}" in absence.statement


def test_the_other_protocol_only(serve: Serve) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        port = datagrams.getsockname()[1]
        page = show(f"127.0.0.1:{port}/tcp")
        assert page.residents == ()
        assert page.absences[0].reason == "other-protocol"
        (resident,) = show(f"127.0.0.1:{port}").residents
        assert resident.listener.socket.protocol is Protocol.UDP
        assert len(show(f":{port}/udp").residents) == 1


def test_the_other_family_only(serve: Serve) -> None:
    pid, port = serve("::1")
    page = show(f"127.0.0.1:{port}")
    assert (page.absences[0].reason, page.residents) == ("other-family", ())
    assert f"(pid {pid})" in page.absences[0].statement


def test_another_namespace(serve: Serve, namespace: str) -> None:
    port = unused_port()
    serve("0.0.0.0", port, netns=namespace)
    page = show(f"127.0.0.1:{port}")
    assert page.residents == ()
    assert page.absences[0].reason == "other-namespace"
    assert namespace in page.absences[0].statement
    there = show(f"192.0.2.78:{port}")
    assert len(there.residents) == 1
    assert there.residents[0].reach[1].text == "its addresses are 192.0.2.78"
    alone = show(f":{port}")
    assert len(alone.residents) == 1
    assert alone.absences[0].reason == "other-namespace"


def test_settings_of_this_kernel(homeport: Homeport, namespace: str) -> None:
    """In a namespace of its own, whose settings can be changed."""
    inside = ["ip", "netns", "exec", namespace]
    setting = "net.ipv4.ip_local_reserved_ports=34567"
    subprocess.run(
        [*inside, "sysctl", "-qw", setting, "net.ipv4.ip_unprivileged_port_start=1000"], check=True, timeout=30
    )
    for port, reason in ((34567, "reserved"), (999, "privileged")):
        command = [*inside, sys.executable, "-P", "-m", "homeport", "show", f"127.0.0.1:{port}", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert [one["reason"] for one in json.loads(done.stdout)["absences"]] == ["no-socket", reason]


def test_an_address_of_somebody_else() -> None:
    page = show("203.0.113.9:443")
    assert page.residents == ()
    assert [one.reason for one in page.absences] == ["not-this-machine"]


def test_an_address_without_a_port(serve: Serve) -> None:
    _, port = serve("127.0.0.1")
    _, six = serve("::1")
    ports = {one.listener.socket.port for one in show("127.0.0.1").residents}
    assert port in ports
    assert six not in ports


def test_where_nothing_listens_the_project_of_the_caller_is_named(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/package.json").write_text('{"name": "shop"}')
    pid, port = serve("127.0.0.1", cwd=tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    found = show(f"127.0.0.1:{unused_port()}").project_listeners
    assert [(one.socket.port, one.owners[0].process.pid) for one in found] == [(port, pid)]
    monkeypatch.chdir("/")
    assert show(f"127.0.0.1:{unused_port()}").project_listeners == ()


def test_who_lived_there_is_remembered(serve: Serve, state: Path) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        remember(show(f":{port}"))
    assert (state / "homeport/history").exists()
    (usual, *_) = show(f":{port}").usual
    assert usual.text.startswith(f"last seen here: {os.path.basename(os.path.realpath('/proc/self/exe'))}")


def test_the_document_is_json_and_says_it_all(serve: Serve) -> None:
    _, port = serve("127.0.0.1")
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        told = document(show(f"127.0.0.1:{port}"))
    again = json.loads(json.dumps(told))
    assert again["endpoint"] == {"protocol": None, "address": "127.0.0.1", "port": port}
    (one,) = again["listeners"]
    assert {"lineage", "provenance", "reach", "leads_to", "published", "owners", "scope"} <= one.keys()
    assert one["reach"]["evidence"][0]["text"] == "programs of this machine only"
    assert again["peers"][0]["other_end"]["owners"][0]["pid"] == os.getpid()
    assert again["next"]


def test_the_command(serve: Serve, homeport: Homeport) -> None:
    _, port = serve("127.0.0.1")
    done = homeport(f"127.0.0.1:{port}")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"listens       tcp 127.0.0.1:{port} · this machine" in done.stdout
    assert "why it runs   " in done.stdout
    nothing = homeport("show", f"127.0.0.1:{unused_port()}")
    assert nothing.returncode == 1
    assert "listens       nothing" in nothing.stdout
    assert homeport(f"127.0.0.1:{port}", "--json").stdout.startswith('{"schema": "homeport/1", "command": "show"')


def test_nonsense_is_refused() -> None:
    with pytest.raises(AddressError):
        show("127.0.0.1:99999")


@pytest.mark.parametrize("source", ["netlink", "psutil"])
def test_every_source_gives_the_page(serve: Serve, source: str) -> None:
    pid, port = serve("127.0.0.1")
    page = show(f"127.0.0.1:{port}", source)
    assert (pids(page.residents), page.source) == ([pid], source)
    assert [str(one.address) for one in page.candidates if one.listener is not None] == [str(ip_address("127.0.0.1"))]
