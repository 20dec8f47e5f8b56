from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from homeport.model.addresses import Protocol
from homeport.model.snapshot import Netns, Query
from homeport.model.sockets import State
from homeport.system import namespaces, netlink, procfs

BOTH = frozenset(Protocol)
HERE = Netns(os.stat("/proc/self/ns/net").st_ino, None, os.getpid(), True)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


def test_it_works_here() -> None:
    assert netlink.missing() is None


def test_a_listener(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    (one,) = netlink.dump(Query(BOTH, frozenset((port,))), (HERE,)).sockets
    assert (one.port, one.inode, one.netns) == (port, os.fstat(listening.fileno()).st_ino, HERE.inode)


def test_known_sockets_are_left_out(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    inode = os.fstat(listening.fileno()).st_ino
    query = Query(frozenset((Protocol.TCP,)))
    assert port in {one.port for one in netlink.dump(query, (HERE,)).sockets}
    assert port not in {one.port for one in netlink.dump(query, (HERE,), frozenset((inode,))).sockets}


def test_udp_comes_from_proc_where_the_kernel_has_no_diag_module() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.bind(("::1", 0))
        port = one.getsockname()[1]
        dump = netlink.dump(Query(frozenset((Protocol.UDP,)), frozenset((port,))), (HERE,))
        (found,) = dump.sockets
        assert (str(found.address), found.state, found.inode) == ("::1", State.BOUND, os.fstat(one.fileno()).st_ino)


def test_without_netlink_proc_answers(monkeypatch: pytest.MonkeyPatch, listening: socket.socket) -> None:
    def refuse() -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(netlink, "_open", refuse)
    assert netlink.missing() == "netlink sockets cannot be opened: Address family not supported by protocol"
    port = listening.getsockname()[1]
    (one,) = netlink.dump(Query(BOTH, frozenset((port,))), (HERE,)).sockets
    assert one.state is State.LISTEN


def test_link_local_addresses_have_their_zone() -> None:
    name = f"hp-core-{os.getpid()}-z"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for words in (
            "link add d0 type veth peer d1",
            "addr add fe80::77/64 dev d0 nodad",
            "link set d0 up",
            "link set d1 up",
        ):
            subprocess.run(["ip", "-n", name, *words.split()], check=True)
        code = (
            "import socket, sys; s = socket.socket(socket.AF_INET6);"
            "s.bind(('fe80::77', 0, 0, socket.if_nametoindex('d0'))); s.listen();"
            "print(s.getsockname()[1], flush=True); sys.stdin.read()"
        )
        command = ["ip", "netns", "exec", name, sys.executable, "-c", code]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            census = namespaces.census(procfs.all_pids())
            found = netlink.dump(Query(BOTH, frozenset((port,))), census.netns).sockets
            server.kill()
        assert [str(one.address) for one in found] == ["fe80::77%d0"]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_a_namespace_that_cannot_be_entered_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    name = f"hp-core-{os.getpid()}-n"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        monkeypatch.setattr(namespaces, "_setns", refuse)
        (one,) = [one for one in namespaces.census(()).netns if one.name == name]
        dump = netlink.dump(Query(BOTH), (one,))
        assert dump.sockets == []
        assert dump.limits == [f"network namespace {name} cannot be entered: Operation not permitted"]
        dump = netlink.dump(Query(BOTH), tuple(one._replace(inode=number, name=str(number)) for number in range(1, 19)))
        named = ", ".join(map(str, range(1, 17)))
        why = "the namespace has no process and no mount"
        assert dump.limits == [f"network namespaces {named} and 2 more cannot be entered: {why}"]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
    assert os.stat("/proc/self/ns/net").st_ino == HERE.inode


def test_a_namespace_whose_process_ended_meanwhile_is_said() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    dump = netlink.dump(Query(BOTH), (Netns(None, None, child.pid, False),))
    assert dump.sockets == []
    ended = f"its process {child.pid} has ended"
    assert dump.limits == [f"network namespace that may not be read was not looked into: {ended}"]
