"""The kernel's choice among sockets of one port, first on built values, then compared with the kernel itself."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket as sockets
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from homeport.model.addresses import Protocol
from homeport.model.explanation import Resolution
from homeport.model.owners import Reason, Unattributed
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules.neighbours import (
    answerers,
    candidates,
    destination,
    endpoint_text,
    other_end,
    who_answers,
)
from homeport.rules.scope import scope

NETNS = 4026531840


def listener(
    address: str,
    port: int = 3000,
    *,
    protocol: Protocol = Protocol.TCP,
    v6only: bool | None = False,
    netns: int | None = NETNS,
    interface: int | None = None,
    inode: int | None = None,
    peer: tuple[str, int] | None = None,
    state: State | None = None,
) -> Listener:
    bound = ip_address(address)
    if state is None:
        state = State.LISTEN if protocol is Protocol.TCP else State.BOUND
    return Listener(
        Socket(
            protocol=protocol,
            state=state,
            address=bound,
            port=port,
            peer_address=ip_address(peer[0]) if peer else None,
            peer_port=peer[1] if peer else None,
            inode=inode,
            cookie=None,
            netns=netns,
            uid=0,
            receive_queue=0,
            send_queue=128,
            interface=interface,
            v6only=v6only if bound.version == 6 else None,
        ),
        scope(bound),
        (),
        Unattributed(Reason.UNKNOWN, "built", 0),
    )


@pytest.mark.parametrize(
    ("client", "bound", "winner"),
    [
        ("127.0.0.1", ["0.0.0.0", "127.0.0.1", "::", "::1"], "127.0.0.1"),
        ("127.0.0.1", ["::", "0.0.0.0", "::1"], "0.0.0.0"),
        ("127.0.0.1", ["::", "::1"], "::"),
        ("127.0.0.1", ["::1"], None),
        ("::1", ["0.0.0.0", "127.0.0.1", "::", "::1"], "::1"),
        ("::1", ["0.0.0.0", "127.0.0.1", "::"], "::"),
        ("::1", ["0.0.0.0", "127.0.0.1"], None),
        ("127.0.0.9", ["127.0.0.1"], None),
        ("127.0.0.9", ["127.0.0.1", "0.0.0.0"], "0.0.0.0"),
        ("0.0.0.0", ["127.0.0.1", "0.0.0.0"], "127.0.0.1"),
        ("::", ["::1", "::"], "::1"),
        ("::ffff:127.0.0.1", ["::1", "0.0.0.0"], "0.0.0.0"),
        ("127.0.0.1", ["::ffff:127.0.0.1", "0.0.0.0"], "::ffff:127.0.0.1"),
        ("127.0.0.1", ["::ffff:127.0.0.1", "127.0.0.1"], "127.0.0.1"),
    ],
)
def test_who_answers(client: str, bound: list[str], winner: str | None) -> None:
    found = who_answers(ip_address(client), 3000, [listener(address) for address in bound], NETNS)
    assert (None if found is None else str(found.socket.address)) == (
        None if winner is None else str(ip_address(winner))
    )


def test_an_ipv6_only_wildcard_takes_no_ipv4() -> None:
    assert who_answers(ip_address("127.0.0.1"), 3000, [listener("::", v6only=True)], NETNS) is None


def test_a_wildcard_of_unknown_kind_is_named_with_that_doubt() -> None:
    (candidate,) = candidates(
        [Resolution(name="localhost", address=ip_address("127.0.0.1"), source="/etc/hosts:1")],
        3000,
        [listener("::", v6only=None)],
        NETNS,
    )
    assert candidate.listener is not None
    assert "cannot tell" in candidate.evidence.text


def test_other_ports_protocols_namespaces_and_states_do_not_answer() -> None:
    others = [
        listener("127.0.0.1", 3001),
        listener("127.0.0.1", protocol=Protocol.UDP),
        listener("127.0.0.1", netns=1),
        listener("127.0.0.1", peer=("127.0.0.1", 9), state=State.ESTABLISHED),
        listener("127.0.0.1", interface=2),
    ]
    assert who_answers(ip_address("127.0.0.1"), 3000, others, NETNS) is None


def test_a_socket_bound_to_the_interface_beats_one_bound_to_none() -> None:
    bound = listener("0.0.0.0", interface=1)
    assert who_answers(ip_address("127.0.0.1"), 3000, [listener("0.0.0.0"), bound], NETNS) == bound
    assert who_answers(ip_address("127.0.0.1"), 3000, [bound, listener("127.0.0.1")], NETNS) != bound


def test_a_link_local_address_is_answered_by_the_socket_of_its_zone() -> None:
    bound = listener("fe80::1", interface=7)
    assert who_answers(ip_address("fe80::1%eth0"), 3000, [bound], NETNS) == bound


def test_sockets_bound_alike_share_and_a_multicast_group_is_for_all() -> None:
    group = [listener("127.0.0.1", inode=n) for n in range(3)]
    assert answerers(ip_address("127.0.0.1"), 3000, group, NETNS) == tuple(group)
    both = [listener("224.0.0.251", protocol=Protocol.UDP), listener("0.0.0.0", protocol=Protocol.UDP)]
    assert answerers(ip_address("224.0.0.251"), 3000, both, NETNS, Protocol.UDP) == tuple(both)


def test_candidates_keep_the_order_of_the_client_and_say_who_is_beaten() -> None:
    resolutions = [
        Resolution(name="localhost", address=ip_address("::1"), source="/etc/hosts:2"),
        Resolution(name="localhost", address=ip_address("127.0.0.1"), source="/etc/hosts:1"),
    ]
    everything = [listener("0.0.0.0"), listener("::"), listener("127.0.0.1")]
    first, second = candidates(resolutions, 3000, everything, NETNS)
    assert (first.listener, second.listener) == (everything[1], everything[2])
    assert first.evidence.source == "/etc/hosts:2"
    assert second.evidence.text == "bound to this very address; beats 0.0.0.0:3000 and [::]:3000"
    (nobody,) = candidates(resolutions[:1], 3000, [listener("127.0.0.1")], NETNS)
    assert (nobody.listener, nobody.evidence.text) == (None, "nothing listens there")


def test_endpoint_text() -> None:
    assert endpoint_text(ip_address("127.0.0.1"), 80) == "127.0.0.1:80"
    assert endpoint_text(ip_address("::1"), 80) == "[::1]:80"
    assert endpoint_text(None, 80) == ":80"


def test_destination() -> None:
    assert str(destination(ip_address("::ffff:0.0.0.0"))) == "127.0.0.1"
    assert str(destination(ip_address("10.0.0.1"))) == "10.0.0.1"


def test_other_end_is_the_socket_with_the_same_endpoints_crosswise() -> None:
    server = listener("::ffff:127.0.0.1", peer=("::ffff:127.0.0.1", 5000), state=State.ESTABLISHED)
    client = listener("127.0.0.1", 5000, peer=("127.0.0.1", 3000), state=State.ESTABLISHED)
    stranger = listener("127.0.0.1", 5000, peer=("127.0.0.1", 3000), state=State.ESTABLISHED, netns=2)
    assert other_end(server.socket, [server, stranger, client]) == client
    assert other_end(server.socket, [server, stranger]) is None
    assert other_end(listener("127.0.0.1").socket, [client]) is None


BINDINGS = [("127.0.0.1", True), ("0.0.0.0", True), ("::1", True), ("::", False), ("::", True), ("127.0.0.2", True)]
CLIENTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"]


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    """A port that is free for all families, kept by a socket that has it but does not listen."""
    with sockets.socket(sockets.AF_INET6) as keeper:
        keeper.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEPORT, 1)
        keeper.setsockopt(sockets.IPPROTO_IPV6, sockets.IPV6_V6ONLY, 0)
        keeper.bind(("::", 0))
        yield keeper.getsockname()[1]


def open_listener(address: str, port: int, v6only: bool) -> sockets.socket:
    family = sockets.AF_INET6 if ":" in address else sockets.AF_INET
    made = sockets.socket(family)
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEPORT, 1)
    if family == sockets.AF_INET6:
        made.setsockopt(sockets.IPPROTO_IPV6, sockets.IPV6_V6ONLY, v6only)
    made.bind((address, port))
    made.listen(4)
    made.setblocking(False)
    return made


def reached(client: str, port: int, servers: list[sockets.socket]) -> sockets.socket | None:
    """The server that really gets the connection of a client."""
    with sockets.socket(sockets.AF_INET6 if ":" in client else sockets.AF_INET) as connecting:
        connecting.settimeout(5)
        try:
            connecting.connect((client, port))
        except ConnectionRefusedError:
            return None
        for server in servers:
            with contextlib.suppress(BlockingIOError):
                server.accept()[0].close()
                return server
    raise AssertionError("connected, but to none of ours")


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_kernel_agrees(size: int) -> None:
    """Every set of bindings, in both orders of opening, asked from every kind of client."""
    for bindings in itertools.combinations(BINDINGS, size):
        if [address for address, _ in bindings].count("::") > 1:
            continue
        for ordered in (bindings, bindings[::-1]):
            with free_port() as port, contextlib.ExitStack() as stack:
                servers = [stack.enter_context(open_listener(address, port, only)) for address, only in ordered]
                built = [listener(address, port, v6only=only) for address, only in ordered]
                for client in CLIENTS:
                    real = reached(client, port, servers)
                    told = who_answers(ip_address(client), port, built, NETNS)
                    expected = None if real is None else built[servers.index(real)]
                    assert told == expected, (client, ordered)


def test_two_programs_with_one_port_answer_as_foretold() -> None:
    """Two processes, on 127.0.0.1 and on ::, each answering its name."""
    with free_port() as port:
        children = [serve_name(address, port, name) for address, name in (("127.0.0.1", b"four"), ("::", b"six"))]
        try:
            built = [listener("127.0.0.1", port), listener("::", port)]
            names = dict(zip(built, (b"four", b"six"), strict=True))
            for client in ("127.0.0.1", "127.0.0.8", "::1"):
                told = who_answers(ip_address(client), port, built, NETNS)
                assert told is not None
                with sockets.create_connection((client, port), timeout=5) as connection:
                    assert connection.recv(16) == names[told]
        finally:
            for pid in children:
                os.kill(pid, 9)
                os.waitpid(pid, 0)


def serve_name(address: str, port: int, name: bytes) -> int:
    """The pid of a process that answers its name to whoever connects; it listens before this returns."""
    server = open_listener(address, port, v6only=False)
    server.setblocking(True)
    pid = os.fork()
    if pid == 0:
        try:
            while True:
                connection, _ = server.accept()
                connection.sendall(name)
                connection.close()
        finally:
            os._exit(1)
    server.close()
    return pid
