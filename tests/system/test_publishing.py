"""Published ports of real containers: with and without an engine's API, rootless, by rules and by proxies."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from homeport.model.addresses import Protocol, Scope
from homeport.model.evidence import Confidence
from homeport.model.owners import Owner, PublishedPort
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.system import procfs
from homeport.system.containment import Containment, foreign_namespaces
from homeport.system.engines import Engines, Place
from homeport.system.firewall import ROOT_ONLY
from homeport.system.publishing import Publishing

if TYPE_CHECKING:
    from tests.system.conftest import Podman

HTTPD = ("httpd", "-f", "-p", "80", "-h", "/www")


def listener(pid: int, port: int, address: str = "127.0.0.1", protocol: Protocol = Protocol.TCP) -> Listener:
    process = procfs.read_process(pid)
    assert process is not None
    held = Socket(
        protocol=protocol, state=State.LISTEN, address=ip_address(address), port=port, peer_address=None,
        peer_port=None, inode=1, cookie=None, netns=None, uid=0, receive_queue=None, send_queue=None, interface=None,
        v6only=None,
    )  # fmt: skip
    owner = Owner(process, (3,), None, None, None, Confidence.CERTAIN, ())
    return Listener(held, Scope.MACHINE, (owner,), None)


class Web(NamedTuple):
    identity: str
    name: str
    conmon: int
    port: int
    address: str


@pytest.fixture(scope="module")
def web(podman: Podman) -> Web:
    """A container that publishes a port of 127.0.0.1, which the engine chose."""
    identity = podman.run("web", "-p", "127.0.0.1::80", command=HTTPD)
    port = int(podman.podman("port", identity, "80").rpartition(":")[2])
    facts = podman.podman("inspect", "-f", "{{.State.ConmonPid}} {{.NetworkSettings.IPAddress}}", identity).split()
    return Web(identity, f"{podman.prefix}-web", int(facts[0]), port, facts[1])


def test_conmon_and_a_rule_lead_to_the_container_without_any_engine(podman: Podman, web: Web) -> None:
    answers = Publishing(Engines([]))
    found = answers.behind(listener(web.conmon, web.port))
    assert found is not None
    assert found.container is not None
    assert (found.container.id, found.container.name) == (web.identity, web.name)
    assert found.container.image == podman.image
    assert found.container.ports == (PublishedPort("tcp", "127.0.0.1", web.port, 80),)
    assert (found.via, found.host_port) == ("conmon", web.port)
    assert (str(found.target_address), found.target_port) == (web.address, 80)
    sources = [one.source for one in found.evidence]
    assert f"/proc/{web.conmon}/cmdline" in sources
    assert any("tables" in source or "nft" in source for source in sources)
    assert answers.limits == ()


def test_an_engine_confirms_it(web: Web, podman_socket: str) -> None:
    found = Publishing(Engines([Place(podman_socket, podman_socket)])).behind(listener(web.conmon, web.port))
    assert found is not None
    assert found.container is not None
    assert found.container.ports == (PublishedPort("tcp", "127.0.0.1", web.port, 80),)
    assert podman_socket in found.container.evidence[1].source


@pytest.mark.parametrize("api", [False, True])
def test_a_published_port_is_found_though_nothing_need_listen(web: Web, podman_socket: str, api: bool) -> None:
    answers = Publishing(Engines([Place(podman_socket, podman_socket)] if api else []))
    (found,) = [one for one in answers.published_ports() if one.host_port == web.port]
    assert found.container is not None
    assert (found.container.id, found.target_port) == (web.identity, 80)
    assert (str(found.host_address), str(found.target_address)) == ("127.0.0.1", web.address)
    assert found.via == ("DNAT rule, podman" if api else "DNAT rule")
    assert answers.published_to(found.container, Protocol.TCP, 80) == [found]
    assert answers.published_to(found.container, Protocol.TCP, 81) == []


def test_ranges_and_udp(podman: Podman) -> None:
    first = free_ports(3)
    options = ("-p", f"127.0.0.1:{first}-{first + 2}:70-72", "-p", f"127.0.0.1:{first}:53/udp")
    identity = podman.run("range", *options)
    found = [
        (one.protocol.value, one.host_port - first, one.target_port)
        for one in Publishing(Engines([])).published_ports()
        if one.container is not None and one.container.id == identity
    ]
    assert found == [("tcp", 0, 70), ("udp", 0, 53), ("tcp", 1, 71), ("tcp", 2, 72)]


def free_ports(count: int) -> int:
    """The first of some ports in a row that nobody has now."""
    for first in range(21_000 + os.getpid() % 1000 * 7, 32_000, count):
        taken: list[socket.socket] = []
        try:
            taken.extend(socket.create_server(("127.0.0.1", first + number)) for number in range(count))
        except OSError:  # somebody has it: the next ones
            continue
        finally:
            for one in taken:
                one.close()
        return first
    raise AssertionError


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def run(*words: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        started.append(child)
        return child

    yield run
    for child in started:
        child.kill()
        child.communicate()


LISTEN = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[-1]) if sys.argv[-1].isdigit() else 0))
print(server.getsockname()[1], flush=True)
time.sleep(999)
"""


def test_a_proxy_that_names_the_address_of_a_container(
    web: Web, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    words = ("-container-ip", web.address, "-container-port", "80", "-host-ip", "127.0.0.1", "-host-port")
    port = free_ports(1)
    program = tmp_path / "docker-proxy"
    program.symlink_to("/usr/bin/python3")
    child = start(str(program), "-c", LISTEN, "-proto", "tcp", *words, str(port))
    assert child.stdout is not None
    assert int(child.stdout.readline()) == port
    found = Publishing(Engines([])).behind(listener(child.pid, port))
    assert found is not None
    assert found.container is not None
    assert (found.via, found.container.id, found.target_port) == ("docker-proxy", web.identity, 80)
    (listed,) = [one for one in Publishing(Engines([])).published_ports() if one.host_port == port]
    assert (listed.container and listed.container.id) == web.identity


def test_an_ordinary_server_is_no_forwarder(start: Callable[..., subprocess.Popen[str]]) -> None:
    child = start(sys.executable, "-c", LISTEN)
    assert child.stdout is not None
    port = int(child.stdout.readline())
    assert Publishing(Engines([])).behind(listener(child.pid, port)) is None


IN_A_NAMESPACE = """
import json, subprocess, sys
for rule in sys.argv[1:]:
    subprocess.run(["nft", rule], check=True)
from homeport.system.publishing import Publishing
from homeport.system.engines import Engines
answers = Publishing(Engines([]))
rows = [[one.protocol, str(one.host_address), one.host_port, str(one.target_address), one.target_port, one.via]
        for one in answers.published_ports()]
print(json.dumps([rows, answers.limits]))
"""


def in_a_namespace(*rules: str, user: int = 0, path: str | None = None) -> tuple[list[list[object]], list[str]]:
    environment = {**os.environ, **({} if path is None else {"PATH": path})}
    drop = ["setpriv", "--reuid", str(user), "--clear-groups"] if user else []
    done = subprocess.run(
        ["unshare", "-n", *drop, sys.executable, "-c", IN_A_NAMESPACE, *rules],
        capture_output=True, text=True, check=True, timeout=60, env=environment,
    )  # fmt: skip
    rows, limits = json.loads(done.stdout)
    return rows, limits


def test_rules_of_nft_itself_are_read() -> None:
    rows, limits = in_a_namespace(
        "add table inet t",
        "add chain inet t pre { type nat hook prerouting priority -100; }",
        "add chain inet t more",
        "add rule inet t pre fib daddr type local jump more",
        "add rule inet t more ip daddr 127.0.0.1 tcp dport 8081 counter dnat ip to 10.88.0.9:80",
        "add rule inet t more udp dport { 53, 60-61 } dnat ip6 to [fd00::9]:5353",
        "add chain inet t unused",
        "add rule inet t unused tcp dport 9 dnat ip to 10.88.0.9:9",
    )
    assert rows == [
        ["udp", "None", 53, "fd00::9", 5353, "DNAT rule"],
        ["udp", "None", 60, "fd00::9", 5353, "DNAT rule"],
        ["udp", "None", 61, "fd00::9", 5353, "DNAT rule"],
        ["tcp", "127.0.0.1", 8081, "10.88.0.9", 80, "DNAT rule"],
    ]
    assert limits == []


def test_rules_that_may_not_be_read_are_a_limit() -> None:
    rows, limits = in_a_namespace(user=65_534)
    assert rows == []
    assert limits == [ROOT_ONLY]


def test_a_wide_range_is_listed_in_part() -> None:
    rows, limits = in_a_namespace(
        "add table ip t",
        "add chain ip t pre { type nat hook prerouting priority -100; }",
        "add rule ip t pre tcp dport 1-65535 dnat to 10.0.0.1",
    )
    assert len(rows) == 4096
    assert rows[-1] == ["tcp", "None", 4096, "10.0.0.1", 4096, "DNAT rule"]
    assert "only the first 4096 are listed" in limits[0]


def test_a_contained_process_whose_group_says_nothing(podman: Podman, podman_socket: str) -> None:
    identity = podman.run("nogroup")
    pid = podman.pid(identity)
    process = procfs.read_process(pid)
    assert process is not None
    mark = Containment().mark_of(process)
    assert mark is not None
    assert (mark.engine, mark.id, mark.evidence.source) == ("podman", identity, f"/proc/{pid}/cgroup")
    silent = process._replace(cgroup="0::/\n")
    by_monitor = Containment().mark_of(silent)
    assert by_monitor is not None
    assert (by_monitor.engine, by_monitor.id) == ("podman", identity)
    assert "conmon" in by_monitor.evidence.text
    asked = Engines([Place(podman_socket, podman_socket)])
    orphan = silent._replace(ppid=0)
    by_engine = Containment(asked).mark_of(orphan)
    assert by_engine is not None
    assert by_engine.id == identity
    assert podman_socket in by_engine.evidence.source


def test_namespaces_of_a_process_that_is_in_no_container(start: Callable[..., subprocess.Popen[str]]) -> None:
    assert foreign_namespaces(os.getpid()) == frozenset()
    assert foreign_namespaces(2**22 + 1) is None
    child = start("unshare", "--mount", "--net", "sh", "-c", "echo ready; exec sleep 999")
    assert child.stdout is not None
    child.stdout.readline()
    assert foreign_namespaces(child.pid) == frozenset(("mnt", "net"))
    process = procfs.read_process(child.pid)
    assert process is not None
    assert Containment(Engines([])).mark_of(process) is None


class Rootless(NamedTuple):
    """A user who may map ids, and a mount namespace in which she may open /dev/net/tun, as anybody elsewhere may."""

    name: str
    uid: int
    folder: Path

    def podman(self, *words: str) -> str:
        command = ["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs", *words]
        script = f"""
            mknod {self.folder}/tun c 10 200 2>/dev/null; chmod 666 {self.folder}/tun
            mount --bind {self.folder}/tun /dev/net/tun && cd / &&
            exec setpriv --reuid {self.uid} --regid {self.uid} --clear-groups "$@"
        """
        environment = {"HOME": str(self.folder / "home"), "XDG_RUNTIME_DIR": str(self.folder / "run")}
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "--", *command],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def rootless(podman: Podman) -> Iterator[Rootless]:
    name = f"hpo{os.getpid()}"
    folder = Path(f"/run/{name}")  # short: Podman puts sockets there
    subprocess.run(["useradd", "--no-create-home", "--shell", "/bin/sh", name], check=True)
    try:
        uid = int(subprocess.run(["id", "-u", name], check=True, capture_output=True, text=True).stdout)
        for part in ("home", "run"):
            (folder / part).mkdir(parents=True)
            os.chown(folder / part, uid, uid)
        archive = folder / "root.tar"
        archive.write_bytes((podman.folder / "root.tar").read_bytes())
        user = Rootless(name, uid, folder)
        user.podman("import", str(archive), "localhost/rootless:1")
        yield user
        user.podman("rm", "-af", "-t", "0")
    finally:
        end_all_of(uid)
        subprocess.run(["userdel", name], check=False, capture_output=True)
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=False)


def end_all_of(uid: int) -> None:
    """Every process of a user that was made for these tests."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        mine = [one for pid in procfs.all_pids() if (one := procfs.read_process(pid)) and one.uid == uid]
        alive = [one for one in mine if one.state != "Z"]
        if not alive:
            return
        for one in alive:
            try:
                os.kill(one.pid, 9)
            except ProcessLookupError:  # just ended
                continue
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        ("slirp4netns", "rootlessport"),
        ("slirp4netns:port_handler=slirp4netns", "slirp4netns"),
    ],
)
def test_rootless_forwarders_lead_to_their_container(rootless: Rootless, network: str, kind: str) -> None:
    port = free_ports(1)
    limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
    name = f"web-{kind}"
    identity = rootless.podman(
        "run", "-d", *limits, "--name", name, "--network", network, "-p", f"127.0.0.1:{port}:80",
        "localhost/rootless:1", *HTTPD,
    )  # fmt: skip
    forwarder_pid = holder_of(port)
    found = Publishing(Engines([])).behind(listener(forwarder_pid, port))
    assert found is not None
    assert found.via == kind
    assert found.container is not None
    assert found.container.id == identity
    if kind == "slirp4netns":
        assert found.target_port == 80
        assert any("list_hostfwd" in one.source for one in found.evidence)


def holder_of(port: int) -> int:
    """The process that `ss` names for a listening port."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        words = ["ss", "-Htlnp", f"src 127.0.0.1:{port}"]
        text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        if "pid=" in text:
            return int(text.partition("pid=")[2].partition(",")[0])
        time.sleep(0.05)
    raise AssertionError
