"""A netlink that lies, errs, stays silent, or is not there; a kernel without a diag module. /proc/net steps in."""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
from tests.weather.conftest import HERE

from homeport.errors import SourceError
from homeport.model.addresses import Protocol
from homeport.model.snapshot import Listener, Netns, Query
from homeport.operations.ls import look
from homeport.system import netlink, procfs, sources

TCP = Query(frozenset((Protocol.TCP,)))
DONE, ERROR, RECORD = 3, 2, 20


def message(kind: int, body: bytes, flags: int = 0) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def place(one: Listener) -> tuple[str, int]:
    return str(one.socket.address), one.socket.port


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server((HERE, 0)) as one:
        yield one


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes | None], list[int]]]:
    """`kernel(what)` makes every netlink socket say `what` (None: nothing); it returns how often one was opened."""
    others: list[socket.socket] = []

    def install(says: bytes | None) -> list[int]:
        opened: list[int] = []

        def opening() -> socket.socket:
            mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            mine.settimeout(0.2)
            others.append(other)
            opened.append(1)
            if says is not None:
                other.send(says)
            return mine

        monkeypatch.setattr(netlink, "_open", opening)
        return opened

    yield install
    for one in others:
        one.close()


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"rubbish", "the kernel closed"),
        (b"\xff" * 4096, "longer than its buffer"),
        (message(RECORD, b"short"), "too short"),
        (message(RECORD, struct.pack("=BBxxHH", 99, 10, 1, 1) + bytes(64)), "address family 99"),
        (message(ERROR, struct.pack("=i", -errno.EPERM)), "Operation not permitted"),
        (message(ERROR, b""), "without its number"),
        (message(DONE, struct.pack("=i", -errno.ENOMEM)), "Cannot allocate memory"),
        (None, "timed out"),
    ],
)
def test_what_netlink_does_not_tell_is_read_elsewhere(
    says: bytes | None, why: str, kernel: Callable[[bytes | None], list[int]], listening: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    kernel(says)
    if says == b"rubbish":  # too short for a header: what follows is waited for
        why = "timed out"
    snapshot = look(TCP, "netlink")
    (one,) = [one for one in snapshot.listeners if place(one) == listening.getsockname()]
    assert [owner.process.pid for owner in one.owners] == [os.getpid()]
    (limit,) = [limit for limit in snapshot.limits if limit.startswith("sock_diag")]
    assert why in limit
    assert limit.endswith("; /proc/net was read instead")


def test_silence_is_waited_for_once(kernel: Callable[[bytes | None], list[int]]) -> None:
    opened = kernel(None)
    look(Query(frozenset(Protocol)), "netlink")
    assert len(opened) == 2  # missing() opens the first


def test_a_kernel_without_the_module_is_no_news(
    kernel: Callable[[bytes | None], list[int]], listening: socket.socket
) -> None:
    kernel(message(ERROR, struct.pack("=i", -errno.ENOENT)))
    snapshot = look(TCP, "netlink")
    assert listening.getsockname() in {place(one) for one in snapshot.listeners}
    assert not [limit for limit in snapshot.limits if "sock_diag" in limit]


def test_a_table_that_changed_meanwhile_is_said(kernel: Callable[[bytes | None], list[int]]) -> None:
    kernel(message(DONE, bytes(4), flags=0x10))
    (limit,) = [limit for limit in look(TCP, "netlink").limits if "changed during the look" in limit]
    assert limit


def test_without_netlink_psutil_is_taken(monkeypatch: pytest.MonkeyPatch, listening: socket.socket) -> None:
    def refuse() -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    monkeypatch.setattr(netlink, "_open", refuse)
    monkeypatch.setattr(sources.Bpf, "missing", lambda self: "not here")
    snapshot = look(TCP)
    assert snapshot.source == "psutil"
    assert listening.getsockname() in {place(one) for one in snapshot.listeners}
    assert snapshot.limits
    with pytest.raises(SourceError, match="netlink sockets cannot be opened"):
        look(TCP, "netlink")


def test_neither_netlink_nor_proc_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in sources.SOURCES:
        monkeypatch.setattr(type(one), "missing", lambda self: f"no {self.name} here")
    with pytest.raises(SourceError) as caught:
        look(TCP)
    assert caught.value.why == "bpf: no bpf here; netlink: no netlink here; psutil: no psutil here"


def test_a_bpf_that_is_refused_after_all_is_said_and_replaced(
    monkeypatch: pytest.MonkeyPatch, listening: socket.socket
) -> None:
    from homeport.system import bpf

    def refuse(query: Query) -> object:
        raise SourceError("the BPF source does not work here", why="the kernel is in a mood")

    monkeypatch.setattr(bpf, "look", refuse)
    snapshot = look(TCP)
    assert snapshot.source == "netlink"
    assert snapshot.limits[0] == "bpf was refused: the kernel is in a mood"
    assert listening.getsockname() in {place(one) for one in snapshot.listeners}


def test_no_thread_for_other_namespaces(monkeypatch: pytest.MonkeyPatch, listening: socket.socket) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    snapshot = look(TCP, "netlink")
    assert listening.getsockname() in {place(one) for one in snapshot.listeners}


@pytest.mark.parametrize("text", ["", "\n", "sl\nrubbish\n", "sl\n 0: 0100007F:0050 00000000:0000 0A\n", "\0" * 9999])
def test_tables_of_rubbish(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    monkeypatch.setattr(netlink, "_open", refuse)
    monkeypatch.setattr(procfs, "read_text", lambda path, most=0: text)
    dump = netlink.dump(TCP, (Netns(None, None, None, True),))
    assert dump.sockets == []
    assert all(limit.startswith(("sock_diag did not tell", "/proc/thread-self/net/tcp")) for limit in dump.limits)
