"""What speaks at real servers, and what becomes of the answers."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homeport.model.addresses import Protocol
from homeport.model.evidence import Confidence
from homeport.model.services import Service
from homeport.model.snapshot import Listener, Query
from homeport.operations import services
from homeport.operations.ls import look

SSH = """
import socket, sys
one = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
one.bind((sys.argv[1], int(sys.argv[2])))
one.listen()
print(one.getsockname()[1], flush=True)
while True:
    client, _ = one.accept()
    client.sendall(b"SSH-2.0-%s\\r\\n" % sys.argv[3].encode())
    client.close()
"""
PRODUCTS = {"OpenSSH_9.2p1": "OpenSSH", "dropbear_2022.83": "Dropbear"}

Serve = Callable[..., int]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("HOMEPORT_NO_HISTORY", raising=False)
    return tmp_path / "state" / "homeport" / "services.json"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve("127.0.0.1", 0, "OpenSSH_9.2p1")`: its port."""
    running: list[subprocess.Popen[str]] = []

    def start(address: str, port: int = 0, name: str = "OpenSSH_9.2p1", *before: str, program: str = "") -> int:
        command = [*before, program or sys.executable, "-c", SSH, address, str(port), name]
        one = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(one)
        assert one.stdout is not None
        return int(one.stdout.readline())

    yield start
    for one in running:
        one.kill()
        one.wait()
        if one.stdout is not None:
            one.stdout.close()


@pytest.fixture
def started() -> Iterator[Callable[..., int]]:
    """Starts a program that listens on the port given first, and waits until it does; its pid."""
    running: list[subprocess.Popen[bytes]] = []

    def start(port: int, *command: str, cwd: Path) -> int:
        one = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        running.append(one)
        until = time.monotonic() + 30
        while not listening(port):
            assert one.poll() is None, command
            assert time.monotonic() < until, command
            time.sleep(0.02)
        return one.pid

    yield start
    for one in running:
        one.terminate()
        one.wait()


def listening(port: int, protocol: Protocol = Protocol.TCP) -> list[Listener]:
    found = look(Query(frozenset((protocol,)), frozenset((port,)))).listeners
    return [one for one in found if one.socket.port == port and one.socket.is_listener]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def only(port: int, **options: Any) -> Service | None:
    (one,) = listening(port)
    return services.recognise_one(one, **options)


def test_the_wildcard_is_asked_by_loopback_of_its_family(serve: Serve) -> None:
    for address in ("0.0.0.0", "::", "127.0.0.1", "::1"):
        found = only(serve(address))
        assert found is not None, address
        assert (found.protocol, found.product, found.version) == ("ssh", "OpenSSH", "9.2p1")


def test_who_is_shadowed_is_asked_past_the_one_who_shadows(serve: Serve) -> None:
    port = serve("0.0.0.0", 0, "OpenSSH_9.2p1")
    serve("127.0.0.1", port, "dropbear_2022.83")
    found = services.recognise(listening(port))
    said = {str(one.socket.address): service and service.product for one, service in found.items()}
    assert said == {"0.0.0.0": "OpenSSH", "127.0.0.1": "Dropbear"}
    behind = [one for one in listening(port) if str(one.socket.address) == "0.0.0.0"]
    alone = services.recognise(behind, cached=False, among=listening(port))
    assert [service and service.product for service in alone.values()] == ["OpenSSH"]


def test_a_listener_of_another_namespace_is_dialled_from_inside(serve: Serve) -> None:
    name = f"hp-services-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        port = serve("127.0.0.1", 0, "OpenSSH_9.2p1", "ip", "netns", "exec", name)
        there = [one for one in look().listeners if one.socket.port == port and _in(one, name)]
        assert len(there) == 1
        found = services.recognise_one(there[0])
        assert found is not None
        assert found.product == "OpenSSH"
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def _in(one: Listener, name: str) -> bool:
    return one.socket.netns == os.stat(f"/run/netns/{name}").st_ino


def test_what_was_recognised_is_remembered_as_long_as_it_is_the_same_listener(serve: Serve, state: Path) -> None:
    port = serve("127.0.0.1")
    before = only(port)
    assert state.stat().st_mode & 0o777 == 0o600
    document = json.loads(state.read_text())
    (entry,) = document["services"].values()
    entry[1]["product"] = "Remembered"
    state.write_text(json.dumps(document))
    found = only(port)
    assert found is not None
    assert found.product == "Remembered"
    assert only(port, cached=False) == before
    other = serve("127.0.0.1", 0, "dropbear_2022.83")
    found = only(other)
    assert found is not None
    assert found.product == "Dropbear"


def test_a_printer_is_not_even_dialled_and_that_is_said() -> None:
    limits: dict[str, None] = {}
    with socket.create_server(("127.0.0.1", 9107)) as printer:
        printer.settimeout(0.2)
        (listener,) = listening(9107)
        assert services.recognise_one(listener, limits=limits) is None
        with pytest.raises(TimeoutError):
            printer.accept()
    (limit,) = limits
    assert limit == "tcp port 9107 was not asked what speaks there: it may be a printer's, which would print it"


def test_a_tunnel_is_not_asked_and_that_is_said(serve: Serve, tmp_path: Path) -> None:
    tunnel = tmp_path / "ssh"
    shutil.copy(os.path.realpath(sys.executable), tunnel)
    port = serve("127.0.0.1", program=str(tunnel))
    limits: dict[str, None] = {}
    assert only(port, limits=limits) is None
    (limit,) = limits
    assert "would leave this machine" in limit


def test_netcat_keeps_its_only_connection(tmp_path: Path) -> None:
    port = free_port()
    command = ["socat", "-u", f"TCP-LISTEN:{port},bind=127.0.0.1", f"OPEN:{tmp_path / 'heard'},creat"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as one:
        try:
            until = time.monotonic() + 20
            while not listening(port) and time.monotonic() < until:
                time.sleep(0.02)
            limits: dict[str, None] = {}
            assert only(port, limits=limits) is None
            assert any("would end with its first connection" in limit for limit in limits)
            assert one.poll() is None
        finally:
            one.kill()


def test_real_servers(started: Callable[..., int], tmp_path: Path) -> None:
    redis, web, nginx = free_port(), free_port(), free_port()
    started(redis, "redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", "", cwd=tmp_path)
    started(web, sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(web), cwd=tmp_path)
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{nginx}; return 204; }} }}\n"
    )
    started(nginx, "nginx", "-c", str(conf), "-e", f"{tmp_path}/log", cwd=tmp_path)
    every = [one for port in (redis, web, nginx) for one in listening(port)]
    found = {one.socket.port: service for one, service in services.recognise(every).items()}
    assert all(one is not None and one.confidence is Confidence.CERTAIN for one in found.values())
    said = {port: (one.protocol, one.product) for port, one in found.items() if one is not None}
    assert said == {redis: ("redis", "Redis"), web: ("http", "Python http.server"), nginx: ("http", "nginx")}

    (listener,) = listening(redis)
    with socket.create_connection(("127.0.0.1", redis)) as client:
        client.sendall(b"PING\r\n")
        assert client.recv(7) == b"+PONG\r\n"
        facts = services.databases(listener, found[redis])
        assert facts is not None
        assert facts.url == f"redis://127.0.0.1:{redis}/0"
        assert (facts.authentication, facts.connections, facts.data_folder) == ("not demanded", 1, str(tmp_path))
        assert facts.tls == "not offered"
    (page,) = listening(web)
    assert services.databases(page, found[web]) is None


TRUST = "local all all peer\nhost all all 127.0.0.1/32 trust\n"
PASSWORD = "hostssl all all all cert\nhost all all 127.0.0.1/32 scram-sha-256\n"
STRANGERS = "host sales bob 10.0.0.0/8 md5\n"


@pytest.mark.parametrize(
    ("access", "login", "user"),
    [
        (f"host all +admins all reject\n{TRUST}", None, "postgres:****@"),
        (TRUST, "not demanded", "postgres@"),
        (PASSWORD, "demanded (scram-sha-256)", "postgres:****@"),
        (STRANGERS, "refused: no line of pg_hba.conf fits", "postgres:****@"),
    ],
    ids=["group", "trust", "password", "strangers"],
)
def test_postgresql(tmp_path: Path, access: str, login: str | None, user: str) -> None:
    (binaries,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    port, folder = free_port(), tmp_path / "data"
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent.name.startswith(("pytest-", "popen-")):
            parent.chmod(0o755)
    account: list[str | Path] = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    subprocess.run([*account, binaries / "initdb", "-D", folder, "-A", "trust"], check=True, capture_output=True)
    (folder / "pg_hba.conf").write_text(access)
    command = [*account, binaries / "postgres", "-D", "data", "-p", str(port), "-h", "127.0.0.1", "-k", tmp_path]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path) as server:
        try:
            until = time.monotonic() + 30
            while not (folder / "postmaster.pid").exists() or "ready" not in (folder / "postmaster.pid").read_text():
                assert time.monotonic() < until
                time.sleep(0.05)
            (listener,) = listening(port)
            found = services.recognise_one(listener)
            assert found is not None
            assert (found.protocol, found.product, found.confidence) == ("postgresql", "PostgreSQL", Confidence.LIKELY)
            facts = services.databases(listener, found)
            assert facts is not None
            assert facts.url == f"postgresql://{user}127.0.0.1:{port}/postgres"
            assert (facts.version, facts.tls, facts.connections) == (binaries.parent.name, "not offered", 0)
            assert (facts.authentication, facts.data_folder) == (login, str(folder))
        finally:
            server.terminate()


def test_mariadb_that_asks_nobody(started: Callable[..., int], tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "data"
    make = ["mariadb-install-db", "--no-defaults", f"--datadir={folder}", "--user=root", "--skip-test-db"]
    subprocess.run(make, check=True, capture_output=True)
    files = f"--datadir={folder}", f"--socket={tmp_path}/s", f"--pid-file={tmp_path}/pid"
    options = "--no-defaults", "--user=root", "--bind-address=127.0.0.1", f"--port={port}", "--skip-grant-tables"
    started(port, "mariadbd", *options, *files, cwd=tmp_path)
    (listener,) = listening(port)
    facts = services.databases(listener, services.recognise_one(listener))
    assert facts is not None
    assert (facts.url, facts.authentication) == (f"mysql://root@127.0.0.1:{port}/", "not demanded")
    assert facts.data_folder == str(folder)


def test_ls_services(serve: Serve, homeport: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    port = serve("127.0.0.1")
    text = homeport("ls", "--services", str(port))
    head, row = text.stdout.splitlines()
    assert head.split()[:5] == ["PORT", "PROTO", "ADDRESS", "SERVICE", "SCOPE"]
    assert "OpenSSH 9.2p1 (ssh)" in row
    (one,) = json.loads(homeport("ls", "--services", "--json", str(port)).stdout)["listeners"]
    assert one["service"]["product"] == "OpenSSH"
    assert one["service"]["confidence"] == "certain"
    assert one["service"]["facts"]["protocol version"] == "2.0"
    csv = homeport("ls", "--services", "--csv", str(port)).stdout.splitlines()
    assert csv[0].endswith(",service,product,version,tls,confidence")
    assert csv[1].endswith(",ssh,OpenSSH,9.2p1,no,certain")
    plain = json.loads(homeport("ls", "--json", str(port)).stdout)["listeners"]
    assert plain[0]["service"] is None
    assert homeport("ls", str(port)).stdout.splitlines()[0].split()[3] == "SCOPE"


def test_a_listing_without_services_imports_none_of_it() -> None:
    code = (
        "import sys; from homeport.cli import quick; from homeport.cli.listing import take\n"
        "take(quick.parse(['ls'])); print([name for name in sys.modules if 'services' in name or 'finger' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_who_was_not_reached_in_time_is_said_and_not_remembered(serve: Serve, state: Path) -> None:
    limits: dict[str, None] = {}
    (one,) = listening(serve("127.0.0.1"))
    assert services.recognise((one,), seconds=0.0, limits=limits) == {one: None}
    assert list(limits) == ["1 listeners were not asked what speaks there: the 0 s were over"]
    assert not state.exists()


def test_remembering_is_turned_off_with_the_history(serve: Serve, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_NO_HISTORY", "1")
    assert only(serve("127.0.0.1")) is not None
    assert not state.exists()
