from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest

from homeport.model.addresses import Protocol
from homeport.model.dialling import Failing, Failure, Target
from homeport.model.firewall import Ruleset
from homeport.model.snapshot import Netns
from homeport.system import dialling, guard, namespaces
from homeport.system.dialling import MOST_BYTES, Connection, dial, refusal

HOST = "127.83.21.1"
Behaviour = Callable[[socket.socket], object]


@contextmanager
def serving(behave: Behaviour, address: str = HOST) -> Iterator[Target]:
    """A listener that does `behave` with each connection."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:  # closed: the end
                    return
                with client:
                    try:
                        behave(client)
                    except OSError:  # the client went away
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Target(ip_address(address), server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def connected(target: Target, seconds: float = 10.0) -> Connection:
    found = dial(target, seconds)
    assert isinstance(found, Connection), found
    return found


def failed(target: Target, seconds: float = 10.0) -> Failure:
    found = dial(target, seconds)
    assert isinstance(found, Failure)
    return found


def test_a_conversation() -> None:
    def echo(client: socket.socket) -> None:
        client.sendall(b"hello\n")
        client.sendall(client.recv(100))

    with serving(echo) as target, connected(target) as one:
        assert one.receive(lambda data: data.endswith(b"\n")) == b"hello\n"
        one.send(b"echo")
        assert one.receive() == b"echo"
        assert (one.receive(), one.ended, one.failing) == (b"", True, None)


def test_what_is_read_until_it_is_complete() -> None:
    def pieces(client: socket.socket) -> None:
        for _ in range(5):
            client.sendall(b"ab")
            time.sleep(0.01)
        client.recv(1)

    with serving(pieces) as target, connected(target) as one:
        assert one.receive(lambda data: len(data) == 10) == b"ab" * 5


def test_silence_is_waited_for_no_longer_than_told() -> None:
    with serving(lambda client: client.recv(1)) as target, connected(target, 0.3) as one:
        assert one.receive(seconds=0.05) == b""
        assert one.receive(seconds=100) == b""
        assert not one.ended
        assert one.failing is None
        one.send(b"too late")
        assert one.receive() == b""


def test_a_flood_is_read_up_to_its_bound() -> None:
    def flood(client: socket.socket) -> None:
        while True:
            client.sendall(bytes(65536))

    asked = 0

    def never(data: bytes) -> bool:
        nonlocal asked
        asked += 1
        return False

    with serving(flood) as target, connected(target) as one:
        assert len(one.receive(never)) == MOST_BYTES
        assert asked < 200


def test_a_peer_that_takes_nothing() -> None:
    stop = threading.Event()
    with serving(lambda _: stop.wait(20)) as target, connected(target, 0.3) as one:
        one.send(bytes(64 << 20))
        assert one.failing is Failing.TIMED_OUT
        stop.set()


def test_a_reset() -> None:
    def reset(client: socket.socket) -> None:
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serving(reset) as target, connected(target) as one:
        one.send(b"x")
        assert one.receive() == b""
        assert one.failing is Failing.RESET
        assert one.detail == "Connection reset by peer"


def test_refused() -> None:
    with serving(lambda _: None) as target:
        pass
    found = failed(target)
    assert (found.failing, found.errno) == (Failing.REFUSED, 111)


def test_a_full_backlog_times_out() -> None:
    with socket.socket() as server, socket.socket() as other:
        server.bind((HOST, 0))
        server.listen(0)
        other.setblocking(False)
        other.connect_ex(server.getsockname())
        found = failed(Target(ip_address(HOST), server.getsockname()[1]), 0.3)
    assert (found.failing, found.errno) == (Failing.TIMED_OUT, None)


def test_no_time_at_all() -> None:
    assert failed(Target(ip_address(HOST), 1), 0.0).failing is Failing.TIMED_OUT
    assert failed(Target(ip_address(HOST), 1), -1.0).failing is Failing.TIMED_OUT


def test_datagrams() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HOST, 0))
        target = Target(ip_address(HOST), server.getsockname()[1], Protocol.UDP)
        with connected(target) as one:
            one.send(b"ping")
            data, sender = server.recvfrom(100)
            server.sendto(b"", sender)
            server.sendto(data * 2, sender)
            assert one.receive() == b"pingping"
    with connected(target) as one:
        one.send(b"ping")
        assert one.receive() == b""
        assert one.failing is Failing.REFUSED


@pytest.mark.parametrize("text", ["::1", "::ffff:127.83.21.1", "::ffff:0.0.0.0", "0.0.0.0", "::"])
def test_every_way_to_write_an_own_address(text: str) -> None:
    address = "::1" if text in ("::1", "::") else "127.0.0.1" if "0.0.0.0" in text else HOST
    with serving(lambda client: client.sendall(b"x"), address) as target:
        one = connected(target._replace(address=ip_address(text)))
        assert one.receive() == b"x"
        one.close()


def test_out_of_descriptors() -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert dial(Target(ip_address(HOST), 1), 5)  # what is read once is read by now
    with serving(lambda client: client.recv(1)) as target:
        kept = os.open("/dev/null", os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (kept + 1, limits[1]))
        try:
            found = dial(target, 5)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            os.close(kept)
    assert isinstance(found, Failure)
    assert found.failing in (Failing.EXHAUSTED, Failing.NOT_THIS_MACHINE)  # without a route to look at: not at all


@pytest.fixture(scope="module")
def linked() -> Iterator[tuple[Netns, str]]:
    """A namespace behind a veth pair, with a server on 10.83.21.2; the near end is in a bridge of this namespace."""
    name, bridge, link = f"hp-dial-{os.getpid()}", f"hpb{os.getpid() % 100000}", f"hpd{os.getpid() % 100000}"
    serve = "import socket\ns = socket.create_server(('10.83.21.2', 8000))\nprint(1, flush=True)\n"
    serve += "while 1: s.accept()[0].sendall(b'x')"
    server = None
    try:
        for words in (
            f"netns add {name}", f"link add {bridge} type bridge", f"addr add 10.83.21.1/24 dev {bridge}",
            f"link add {link} type veth peer name eth0 netns {name}", f"link set {link} master {bridge} up",
            f"link set {bridge} up",
            f"-n {name} link set lo up", f"-n {name} link set eth0 up", f"-n {name} addr add 10.83.21.2/24 dev eth0",
        ):  # fmt: skip
            subprocess.run(["ip", *words.split()], check=True, timeout=30, capture_output=True)
        server = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", serve], stdout=subprocess.PIPE)
        assert server.stdout is not None
        assert server.stdout.readline() == b"1\n"
        inode = os.stat(f"/run/netns/{name}").st_ino
        yield Netns(inode, name, None, False), bridge
    finally:
        if server is not None:
            server.kill()
            server.communicate()
        for words in (f"netns del {name}", f"link del {bridge}"):
            subprocess.run(["ip", *words.split()], check=False, timeout=30, capture_output=True)


def fresh() -> None:
    """Other namespaces and rules are read anew by the next connection."""
    guard._places._known.clear()
    guard._rules._known.clear()


def test_another_namespace_of_this_machine_is_dialled(linked: tuple[Netns, str]) -> None:
    netns, _ = linked
    fresh()
    with connected(Target(ip_address("10.83.21.2"), 8000)) as one:
        assert one.receive() == b"x"
    with connected(Target(ip_address("10.83.21.2"), 8000, netns=netns)) as one:
        assert one.receive() == b"x"
    assert failed(Target(ip_address("127.0.0.1"), 8000, netns=netns)).failing is Failing.REFUSED
    with serving(lambda client: client.sendall(b"back"), "10.83.21.1") as target:
        back = connected(target._replace(netns=netns))
        assert back.receive() == b"back"
        back.close()
    assert refusal(Target(ip_address("10.83.21.3"), 8000)) is not None
    assert refusal(Target(ip_address("10.83.21.3"), 8000, netns=netns)) is not None


def test_a_bridge_that_leads_out_is_not(linked: tuple[Netns, str]) -> None:
    """With a port that is no veth in the bridge, whoever answers to the address may be another machine."""
    _, bridge = linked
    out = f"hpt{os.getpid() % 100000}"
    subprocess.run(["ip", "tuntap", "add", "dev", out, "mode", "tap"], check=True, timeout=30)
    try:
        subprocess.run(["ip", "link", "set", out, "master", bridge], check=True, timeout=30)
        fresh()
        assert failed(Target(ip_address("10.83.21.2"), 8000)).failing is Failing.NOT_THIS_MACHINE
    finally:
        subprocess.run(["ip", "link", "del", out], check=True, timeout=30)


def test_a_namespace_that_is_gone() -> None:
    found = failed(Target(ip_address("127.0.0.1"), 1, netns=Netns(1, "gone", None, False)))
    assert found.failing is Failing.OTHER
    assert "cannot be entered" in found.detail
    assert refusal(Target(ip_address("127.0.0.1"), 1, netns=Netns(1, "gone", None, False))) is not None


def test_published_ports_of_a_container(podman: Any) -> None:
    """Rules lead them to a container of this machine: they are dialled, as is the container itself."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    identity = podman.run("dialled", "-p", f"{port}:80", command=("httpd", "-f", "-h", "/www", "-p", "80"))
    address = podman.podman("inspect", "-f", "{{.NetworkSettings.IPAddress}}", identity)
    fresh()
    inside = Netns(namespaces.of_process(podman.pid(identity)), None, podman.pid(identity), False)
    own = next(
        one for one in guard._read_places()[namespaces.own() or 0].addresses if one.version == 4 and not one.is_loopback
    )
    for target in (
        Target(ip_address("127.0.0.1"), port),
        Target(own, port),
        Target(ip_address(address), 80),
        Target(ip_address("127.0.0.1"), 80, netns=inside),
    ):
        deadline = time.monotonic() + 30
        while isinstance(found := dial(target, 5), Failure):
            assert found.failing is not Failing.NOT_THIS_MACHINE, (target, found)
            assert time.monotonic() < deadline, (target, found)
            time.sleep(0.05)
        with found:
            found.send(b"GET / HTTP/1.0\r\n\r\n")
            assert found.receive(lambda data: b"hello" in data).startswith(b"HTTP/1.")


def test_an_address_that_is_lost_between_judgement_and_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """SO_DONTROUTE: without the guard, too, nothing goes through a router."""
    monkeypatch.setattr(guard, "why_not", lambda target: None)
    found = failed(Target(IPv4Address("198.51.100.7"), 9), 1.0)
    assert found.failing in (Failing.UNREACHABLE, Failing.TIMED_OUT)
    assert found.failing is Failing.UNREACHABLE, "it would have been sent to the router"


def test_one_look_at_the_rules_for_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh()
    reads: list[int] = []
    real = guard._rules._read

    def counted() -> Ruleset:
        reads.append(1)
        return real()

    monkeypatch.setattr(guard._rules, "_read", counted)
    threads = [threading.Thread(target=refusal, args=(Target(ip_address(HOST), port),)) for port in range(1, 65)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert len(reads) == 1


def test_failings_of_the_kernel() -> None:
    assert dialling.failing_of(TimeoutError()) is Failing.TIMED_OUT
    assert dialling.failing_of(OSError(113, "x")) is Failing.UNREACHABLE
    assert dialling.failing_of(OSError(1, "x")) is Failing.FORBIDDEN
    assert dialling.failing_of(OSError("without a number")) is Failing.OTHER
