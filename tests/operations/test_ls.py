"""The list against real sockets, and the sources against each other and against ss, lsof and psutil."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from ipaddress import ip_address

import psutil
import pytest

from homeport.model.addresses import Protocol, Scope
from homeport.model.owners import Reason
from homeport.model.snapshot import Listener, Query, Snapshot
from homeport.model.sockets import State
from homeport.operations.ls import ALL_PROTOCOLS, Filter, look
from homeport.system.sources import SOURCES

TCP = Query(frozenset((Protocol.TCP,)))
WORKING = [source.name for source in SOURCES if source.missing() is None]

SERVER = """
import os, socket, sys
made = []
for word in sys.argv[1:]:
    kind, family, host = word.split(",")
    one = socket.socket(getattr(socket, family), socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    if family == "AF_INET6":
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind((host, 0))
    if kind == "tcp":
        one.listen(17)
    made.append(one)
print(*(one.getsockname()[1] for one in made), flush=True)
sys.stdin.read()
"""


class Server:
    """A process that listens where it is told, until it is closed."""

    def __init__(self, *words: str, prefix: tuple[str, ...] = ()) -> None:
        command = [*prefix, sys.executable, "-c", SERVER, *words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.ports = [int(word) for word in self.process.stdout.readline().split()]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server("tcp,AF_INET,127.0.0.1", "tcp,AF_INET6,::1", "udp,AF_INET,0.0.0.0", "udp,AF_INET6,::") as one:
        yield one


def rows(snapshot: Snapshot, port: int) -> list[Listener]:
    return [one for one in snapshot.listeners if one.socket.port == port]


def test_all_three_sources_work_where_the_tests_run() -> None:
    assert WORKING == ["bpf", "netlink", "psutil"]


@pytest.mark.parametrize("source", WORKING)
def test_every_source_sees_a_real_server(source: str, server: Server) -> None:
    snapshot = look(Query(ALL_PROTOCOLS), source)
    assert snapshot.source == source
    expected = [
        (Protocol.TCP, "127.0.0.1", Scope.MACHINE, State.LISTEN),
        (Protocol.TCP, "::1", Scope.MACHINE, State.LISTEN),
        (Protocol.UDP, "0.0.0.0", Scope.EVERY, State.BOUND),
        (Protocol.UDP, "::", Scope.EVERY, State.BOUND),
    ]
    for port, (protocol, address, scope, state) in zip(server.ports, expected, strict=True):
        (one,) = [row for row in rows(snapshot, port) if row.socket.protocol is protocol]
        assert (str(one.socket.address), one.scope, one.socket.state) == (address, scope, state)
        assert one.unattributed is None
        (owner,) = one.owners
        assert owner.process.pid == server.process.pid
        assert owner.process.cmdline is not None
        assert owner.process.cmdline[1] == "-c"
        assert owner.process.start_time is not None
        assert abs((datetime.now(UTC) - owner.process.start_time).total_seconds()) < 3600


def test_the_sources_agree(server: Server) -> None:
    def facts(name: str) -> set[tuple[object, ...]]:
        snapshot = look(Query(ALL_PROTOCOLS), name)
        own = os.stat("/proc/self/ns/net").st_ino
        return {
            (one.socket.protocol, one.socket.state, one.socket.address, one.socket.port, owner.process.pid)
            for one in snapshot.listeners
            if one.socket.netns == own
            for owner in one.owners
            if owner.process.pid == server.process.pid
        }

    answers = {name: facts(name) for name in WORKING}
    assert len(answers["netlink"]) == 4
    assert all(answer == answers["netlink"] for answer in answers.values()), answers


def test_ss_and_lsof_and_psutil_agree(server: Server) -> None:
    mine = {
        (str(one.socket.address), one.socket.port) for one in look(TCP).listeners if one.socket.port in server.ports
    }
    listed = subprocess.run(["ss", "-Htlnp"], capture_output=True, text=True, check=True).stdout
    ss = set()
    for line in listed.splitlines():
        local = line.split()[3]
        address, _, port = local.rpartition(":")
        if int(port) in server.ports:
            assert f"pid={server.process.pid}," in line
            ss.add((address.strip("[]"), int(port)))
    lsof = subprocess.run(
        ["lsof", "-nP", "-iTCP", "-sTCP:LISTEN", "-a", "-p", str(server.process.pid), "-Fn"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    opened = {(host.strip("[]"), int(port)) for host, port in re.findall(r"^n(.*):(\d+)$", lsof, re.MULTILINE)}
    known = {
        (row.laddr.ip, row.laddr.port)
        for row in psutil.Process(server.process.pid).net_connections("tcp")
        if row.status == psutil.CONN_LISTEN
    }
    assert mine == ss == opened == known


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_backlog_cookie_and_v6only(source: str, server: Server) -> None:
    snapshot = look(TCP, source)
    (four,) = rows(snapshot, server.ports[0])
    (six,) = [one for one in rows(snapshot, server.ports[1]) if one.socket.protocol is Protocol.TCP]
    assert (four.socket.receive_queue, four.socket.send_queue) == (0, 17)
    assert six.socket.v6only is True
    with socket.create_connection(("127.0.0.1", server.ports[0])):
        deadline = time.monotonic() + 10
        while rows(look(TCP, source), server.ports[0])[0].socket.receive_queue != 1:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_a_port_is_filtered_by_the_source(source: str, server: Server) -> None:
    snapshot = look(Query(ALL_PROTOCOLS, frozenset((server.ports[0],))), source)
    assert {one.socket.port for one in snapshot.listeners} == {server.ports[0]}


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_inherited_sockets_have_all_their_holders(source: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as shared:
        port = shared.getsockname()[1]
        os.set_inheritable(shared.fileno(), True)
        command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False) as child:
            assert child.stdout is not None
            child.stdout.readline()
            (one,) = rows(look(TCP, source), port)
            # the older one, who made it, comes first
            assert [owner.process.pid for owner in one.owners] == [os.getpid(), child.pid]
            child.kill()


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_reuseport_groups_are_rows_of_their_own(source: str) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(socket.socket())
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        second = stack.enter_context(socket.socket())
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        second.bind(("127.0.0.1", port))
        first.listen()
        second.listen()
        found = rows(look(TCP, source), port)
        inodes = {os.fstat(one.fileno()).st_ino for one in (first, second)}
        assert {one.socket.inode for one in found} == inodes


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_connections_and_their_remains(source: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        server, _ = listening.accept()
        everything = Query(frozenset((Protocol.TCP,)), connections=True)
        states = {one.socket.state for one in rows(look(everything, source), port)}
        assert states == {State.LISTEN, State.ESTABLISHED}
        assert {one.socket.state for one in rows(look(TCP, source), port)} == {State.LISTEN}
        server.close()
        client.close()
        remains = [one for one in rows(look(everything, source), port) if one.socket.state is State.TIME_WAIT]
        assert len(remains) == 1
        assert remains[0].unattributed is not None
        assert remains[0].unattributed.reason is Reason.TIME_WAIT


def test_filters(server: Server) -> None:
    pid = server.process.pid
    port = server.ports[0]

    def ports(keep: Filter) -> set[int]:
        return {one.socket.port for one in look(keep=keep).listeners}

    assert ports(Filter(pids=frozenset((pid,)))) == set(server.ports)
    assert port in ports(Filter(addresses=frozenset((ip_address("127.0.0.1"),))))
    assert port not in ports(Filter(addresses=frozenset((ip_address("::1"),))))
    here = ip_address("127.0.0.1")
    assert ports(Filter(endpoints=frozenset(((here, port), (here, server.ports[1]))))) == {port}
    either = Filter(endpoints=frozenset(((here, port),)), ports=frozenset((server.ports[1],)))
    assert ports(either) >= {port, server.ports[1]}
    assert ports(Filter(pids=frozenset((pid,)), scopes=frozenset((Scope.MACHINE,)))) == set(server.ports[:2])
    assert port in ports(Filter(users=("root",)))
    assert port in ports(Filter(users=("0",)))
    assert port not in ports(Filter(users=("nobody",)))
    assert port in ports(Filter(names=("PYTHON*",)))
    assert port not in ports(Filter(names=("python",), pids=frozenset((1,))))
    assert port in ports(Filter(netns=("own",)))
    assert port not in ports(Filter(netns=("no-such",)))
    assert port not in ports(Filter(containers=("*",)))
    assert port not in ports(Filter(projects=("no-such-project",)))


def test_an_address_fits_however_it_is_spelled() -> None:
    with socket.socket(socket.AF_INET6) as mapped:
        mapped.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        mapped.bind(("::ffff:127.0.0.1", 0))
        mapped.listen()
        for text in ("127.0.0.1", "::ffff:127.0.0.1"):
            keep = Filter(addresses=frozenset((ip_address(text),)))
            assert mapped.getsockname()[1] in {one.socket.port for one in look(TCP, keep=keep).listeners}


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_a_socket_of_one_interface_names_it(source: str) -> None:
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        bound.bind(("0.0.0.0", 0))
        bound.listen()
        (one,) = rows(look(TCP, source), bound.getsockname()[1])
        assert (one.socket.interface, one.socket.device) == (1, "lo")


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_a_connection_that_nobody_accepts_says_so(source: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        everything = Query(frozenset((Protocol.TCP,)), frozenset((port,)), connections=True)
        for state in (State.ESTABLISHED, State.CLOSE_WAIT):
            (one,) = [row for row in look(everything, source).listeners if row.socket.state is state]
            assert one.unattributed is not None
            assert one.unattributed.reason is Reason.UNACCEPTED
            client.close()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[list[tuple[str, Server]]]:
    """Servers in three network namespaces of their own."""
    names = [f"hp-core-{os.getpid()}-{number}" for number in range(3)]
    with ExitStack() as stack:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "del", name], check=True)
            subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield [
            (name, stack.enter_context(Server("tcp,AF_INET,127.0.0.1", prefix=("ip", "netns", "exec", name))))
            for name in names
        ]


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_listeners_of_other_namespaces(source: str, elsewhere: list[tuple[str, Server]]) -> None:
    snapshot = look(TCP, source)
    names = {one.inode: one.name for one in snapshot.netns}
    for name, server in elsewhere:
        found = [one for one in rows(snapshot, server.ports[0]) if one.owners[0].process.pid == server.process.pid]
        assert [names[one.socket.netns] for one in found if one.socket.netns] == [name]
    alone = look(Query(frozenset((Protocol.TCP,)), namespaces=False), source)
    assert {one.socket.netns for one in alone.listeners} <= {os.stat("/proc/self/ns/net").st_ino}


def test_a_namespace_without_a_process_is_looked_into(elsewhere: list[tuple[str, Server]]) -> None:
    name = f"hp-core-{os.getpid()}-empty"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        assert name in {one.name for one in look(TCP, "netlink").netns}
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


ORDINARY = """
import json, os, pwd, sys
sys.path[:0] = json.loads(sys.argv[1])
who = pwd.getpwnam("nobody")
from homeport.operations.ls import look
from homeport.operations.documents.listing import document
from homeport.model.snapshot import Query
from homeport.model.addresses import Protocol
import homeport.system.netlink, homeport.system.bpf, fnmatch, marshal, threading, tomllib, ctypes, ipaddress
os.setgroups([]); os.setgid(who.pw_gid); os.setuid(who.pw_uid)
print(json.dumps(document(look(Query(frozenset((Protocol.TCP,)))))))
"""


def test_an_ordinary_user_sees_every_row_with_the_reason(elsewhere: list[tuple[str, Server]], server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORDINARY, json.dumps(sys.path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["source"] == "netlink"
    by_port = {row["port"]: row for row in answer["listeners"]}
    here = by_port[server.ports[0]]
    assert here["owners"] == []
    assert here["unattributed"]["reason"] == "other-user"
    assert "uid 0 (root)" in here["unattributed"]["detail"]
    for _, other in elsewhere:
        row = by_port[other.ports[0]]
        assert row["netns"] is None or row["netns"] != here["netns"]
        assert row["unattributed"]["reason"] == "other-user"
    assert any("sudo" in limit for limit in answer["limits"])


def test_a_holder_whose_pid_was_given_away_is_not_shown(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    from homeport.system import procfs

    real = procfs.read_process

    def later(pid: int) -> object:
        process = real(pid)
        return process and process._replace(start_ticks=(process.start_ticks or 0) + 1)

    monkeypatch.setattr(procfs, "read_process", later)
    (one,) = [row for row in rows(look(TCP, "bpf"), server.ports[0]) if row.socket.protocol is Protocol.TCP]
    assert one.owners == ()
    assert one.unattributed is not None
    assert one.unattributed.reason is Reason.RACED
