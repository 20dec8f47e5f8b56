"""Engines: a real Podman with and without its API, and sockets that do everything wrong."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from homeport.model.evidence import Evidence
from homeport.model.owners import PublishedPort
from homeport.rules.cgroups import ContainerMark, container_of
from homeport.system import engines, procfs
from homeport.system.engines import Engines, Place

if TYPE_CHECKING:
    from tests.system.conftest import Podman

ID = "cb" * 32
Serve = Callable[[Callable[[socket.socket], None]], Place]


def mark(identity: str = ID, engine: str = "docker") -> ContainerMark:
    return ContainerMark(engine, identity, Evidence("cgroup", f"0::/{engine}/{identity}"))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """An engine's socket whose connections are handed to a function, in a thread."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def make(answer: Callable[[socket.socket], None]) -> Place:
        path = str(tmp_path / f"{len(listeners)}.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)
        listeners.append(listener)

        def work() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # closed at the end of the test
                    return
                with connection:
                    try:
                        connection.recv(4096)
                        answer(connection)
                    except OSError:  # the client went away, as it should
                        pass

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return Place(path, path)

    yield make
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(10)


def says(raw: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(raw)


def good(*containers: dict[str, object]) -> bytes:
    return b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(list(containers)).encode()


def test_a_container_is_named_by_a_real_engine(podman: Podman, podman_socket: str) -> None:
    identity = podman.run("named", "-p", "127.0.0.1::80", command=("httpd", "-f", "-p", "80", "-h", "/www"))
    port = int(podman.podman("port", identity, "80").rpartition(":")[2])
    answers = Engines([Place(podman_socket, podman_socket)])
    seen = container_of(procfs.read_text(f"/proc/{podman.pid(identity)}/cgroup") or "")
    assert seen is not None
    found = answers.describe(seen)
    assert (found.engine, found.id, found.name) == ("podman", identity, f"{podman.prefix}-named")
    assert found.image == podman.image
    assert found.ports == (PublishedPort("tcp", "127.0.0.1", port, 80),)
    assert found.evidence[0] == seen.evidence
    assert podman_socket in found.evidence[1].source
    assert answers.limits == ()
    assert identity in [one.id for one in answers.containers()]
    address = podman.podman("inspect", "-f", "{{.NetworkSettings.IPAddress}}", identity)
    from ipaddress import ip_address

    assert (there := answers.at_address(ip_address(address))) and there.id == identity
    by_pid = answers.of_pid([os.getpid(), podman.pid(identity)])
    assert by_pid is not None
    assert (by_pid.id, by_pid.pid) == (identity, podman.pid(identity))
    assert answers.of_pid([os.getpid()]) is None


@pytest.mark.parametrize("options", [(), ("--rm",)])
def test_a_container_is_named_without_any_engine_answering(podman: Podman, options: tuple[str, ...]) -> None:
    identity = podman.run(f"silent{len(options)}", *options)
    found = Engines([]).describe(mark(identity, "podman"))
    assert (found.name, found.image) == (f"{podman.prefix}-silent{len(options)}", podman.image)
    assert found.pid == podman.pid(identity)
    assert "containers.json" in found.evidence[1].source


def test_docker_and_kubernetes_without_their_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    docker = tmp_path / ".local/share/docker/containers" / ID
    docker.mkdir(parents=True)
    facts = {"ID": ID, "Name": "/db", "State": {"Pid": 7}, "Config": {"Image": "postgres:16"}}
    (docker / "config.v2.json").write_text(json.dumps(facts))
    found = Engines([]).describe(mark())
    assert (found.name, found.image, found.pid) == ("db", "postgres:16", 7)
    (docker / "config.v2.json").write_text("{broken")
    found = Engines([]).describe(mark())
    assert (found.id, found.name) == (ID, None)
    crio = tmp_path / ".local/share/containers/storage/overlay-containers" / ID / "userdata"
    crio.mkdir(parents=True)
    notes = {"io.kubernetes.container.name": "api", "io.kubernetes.pod.name": "shop"}
    (crio / "config.json").write_text(json.dumps({"annotations": notes}))
    found = Engines([]).describe(mark(engine="kubernetes"))
    assert (found.name, found.engine) == ("shop/api", "cri-o")


def test_a_machine_container_is_named_by_its_group() -> None:
    found = Engines([]).describe(mark("web", "lxc"))
    assert (found.engine, found.id, found.name) == ("lxc", "web", "web")


def test_an_unknown_container_keeps_its_id_and_nobody_is_asked_twice(serve: Serve) -> None:
    calls = []

    def answer(connection: socket.socket) -> None:
        calls.append(1)
        connection.sendall(good())

    asked = Engines([serve(answer)])
    found = asked.describe(mark())
    assert (found.id, found.name, found.image, found.ports) == (ID, None, None, ())
    asked.describe(mark("ab" * 32))
    assert asked.describe(mark()) is found
    assert len(calls) == 1


def hangs(connection: socket.socket) -> None:
    connection.recv(1)  # until the client gives up


def drips(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"[" * 99:
        connection.sendall(bytes((byte,)))
        time.sleep(0.05)


def floods(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n[")
    while True:
        connection.sendall(b'"x",' * 65_536)


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        (hangs, "did not answer within"),
        (drips, "did not answer within"),
        (floods, "sent more than"),
        (says(b""), "does not answer as a container engine does"),
        (says(b"\x00\xff garbage"), "does not answer as a container engine does"),
        (says(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), "answered with status 500"),
        (says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "answered with status 404"),
        (says(b"HTTP/1.0 200 OK\r\n\r\n{not json"), "something else than a list"),
        (says(b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 500_000), "something else than a list"),
        (says(b"HTTP/1.0 200 OK\r\n\r\n{}"), "something else than a list"),
    ],
)
def test_a_bad_engine_is_bounded_and_said_and_a_good_one_is_heard(
    serve: Serve, answer: Callable[[socket.socket], None], limit: str
) -> None:
    bad = serve(answer)
    asked = Engines([bad, serve(says(good({"Id": ID, "Names": ["/web"]})))])
    assert asked.describe(mark()).name == "web"
    (line,) = asked.limits
    assert limit in line
    assert bad.name in line


def test_an_answer_of_any_framing_is_read(serve: Serve) -> None:
    body = json.dumps([{"Id": ID, "Names": ["/web"]}]).encode()
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert Engines([serve(says(chunked))]).describe(mark()).name == "web"

    def stays_open(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        connection.recv(1)

    asked = Engines([serve(stays_open)])
    assert asked.describe(mark()).name == "web"
    assert asked.limits == ()


def test_nobody_at_home_is_no_limit(tmp_path: Path) -> None:
    left = str(tmp_path / "left.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(left)
    (tmp_path / "file.sock").touch()
    names = [left, str(tmp_path / "file.sock"), str(tmp_path / "absent.sock"), "/" + "x" * 500]
    asked = Engines([Place(name, name) for name in names])
    assert asked.containers() == []
    assert asked.limits == ()


def test_a_socket_closed_to_the_caller_is_a_limit(serve: Serve) -> None:
    place = serve(says(good()))
    os.chmod(place.name, 0o600)
    os.chmod(Path(place.name).parent, 0o755)
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        for folder in Path(place.name).parents:  # pytest's own folders are closed to others
            if folder != Path("/") and folder != Path("/tmp"):
                os.chmod(folder, 0o755)
        os.setgroups([])
        os.setgid(65_534)
        os.setuid(65_534)
        asked = Engines([place])
        asked.containers()
        os.write(writable, json.dumps(asked.limits).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        limits = json.loads(pipe.read())
    os.waitpid(child, 0)
    assert limits == [f"permission denied: {place.name}"]


@pytest.mark.parametrize(
    "host", ["tcp://192.0.2.7:2375", "tcp://example.org:2376", "ssh://me@example.org", "tcp://x", "?"]
)
def test_an_engine_of_another_machine_is_not_asked(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)

    def forbidden(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket, "socket", forbidden)
    asked = Engines()
    assert asked._docker_host(host) is None
    assert asked.limits == (f"the engine at DOCKER_HOST={host} is not on this machine and was not asked",)


def test_docker_host_on_this_machine_is_asked_first(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    place = serve(says(good({"Id": ID, "Names": ["/web"]})))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{place.name}")
    assert Engines().describe(mark()).name == "web"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(good({"Id": ID, "Names": ["/over-tcp"]}))

        thread = threading.Thread(target=answer)
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
        assert Engines().describe(mark()).name == "over-tcp"
        thread.join(10)
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        asked = Engines()
        assert asked._docker_host(f"tcp://127.0.0.1:{port}") is None
        assert "wants TLS" in asked.limits[0]


def test_the_same_socket_by_two_names_is_asked_once(serve: Serve, tmp_path: Path) -> None:
    place = serve(says(good({"Id": ID, "Names": ["/web"]})))
    (tmp_path / "alias").symlink_to(place.name)
    assert len(Engines([place, Place("alias", str(tmp_path / "alias"))]).containers()) == 1


def test_a_flood_of_containers_is_inspected_up_to_a_bound(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_MOST_INSPECTED", 2)
    rows: list[dict[str, object]] = [{"Id": f"{number:064x}"} for number in range(5)]
    asked = Engines([serve(says(good(*rows)))])
    assert asked.of_pid([1]) is None
    assert "only 2 of 5 containers" in asked.limits[0]
