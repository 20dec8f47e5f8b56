"""A scratch network namespace beside another one, to connect from: nothing of it outlives this process.

The namespace has no name and no mount: a thread of this process is in it, and nobody else. A veth pair joins it to the
other one. When the thread ends, however this process ends, the kernel takes away the namespace, and with it the pair,
its addresses, routes and neighbour entries (network_namespaces(7)). Not a setting of the other namespace is changed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import queue
import selectors
import socket as sockets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_address, ip_interface
from types import TracebackType
from typing import NamedTuple, TypeVar

from homeport.errors import HomeportError, RightsError, WireError
from homeport.model.addresses import IPAddress
from homeport.model.firewall import IPNetwork
from homeport.model.snapshot import Netns
from homeport.system import namespaces, procfs, routing
from homeport.wire import rtnetlink, rtnetlink_changes
from homeport.wire.proc_routes import routes_ipv4, routes_ipv6

SECONDS = 1.5
"""How long a connection may take; a packet that is lost is sent again after one second (RFC 6298)."""
_CLONE_NEWNET = 0x40000000
_NETLINK_ROUTE = 0
_BENCHMARKING = IPv4Network("198.18.0.0/15")  # RFC 2544: for networks that are not connected to anything else
_NEAR = "hp"
_RUNNING = 0x40  # IFF_RUNNING
_LOCAL_SETTINGS = {
    f"ipv4/conf/{_NEAR}/route_localnet": "1",  # so that 127.0.0.1 can be asked of the other side
    f"ipv4/conf/{_NEAR}/rp_filter": "0",
    "ipv4/conf/all/rp_filter": "0",
    "ipv6/conf/all/disable_ipv6": "0",
    f"ipv6/conf/{_NEAR}/disable_ipv6": "0",
}

T = TypeVar("T")


class Tried(NamedTuple):
    """What came of a connect(2); `connected` None: it could not be tried, and `seen` says why."""

    connected: bool | None
    seen: str


def connect_all(targets: Iterable[tuple[IPAddress, int]], seconds: float = SECONDS) -> list[Tried]:
    """A TCP connection to each from the calling thread's namespace, all at once, closed as soon as it is there.

    Only for addresses of which the caller has made sure that they are this machine's.
    """
    with selectors.DefaultSelector() as ready:
        found: list[Tried | None] = []
        for number, (address, port) in enumerate(targets):
            found.append(_begin(ready, number, address, port))
        until = time.monotonic() + seconds
        while ready.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in ready.select(left):
                connection = key.fileobj
                assert isinstance(connection, sockets.socket)  # noqa: S101
                found[key.data] = _ended(connection.getsockopt(sockets.SOL_SOCKET, sockets.SO_ERROR))
                ready.unregister(connection)
                connection.close()
        for key in list(ready.get_map().values()):
            assert isinstance(key.fileobj, sockets.socket)  # noqa: S101
            key.fileobj.close()
    return [Tried(False, f"nothing came back within {seconds:g} s") if one is None else one for one in found]


def _begin(ready: selectors.BaseSelector, number: int, address: IPAddress, port: int) -> Tried | None:
    family = sockets.AF_INET if address.version == 4 else sockets.AF_INET6
    connection = None
    try:
        connection = sockets.socket(family, sockets.SOCK_STREAM | sockets.SOCK_NONBLOCK | sockets.SOCK_CLOEXEC)
        code = connection.connect_ex((str(address), port))
    except OSError as error:
        if connection is not None:
            connection.close()
        return Tried(None, f"it could not be tried: {error.strerror or error}")
    if code == errno.EINPROGRESS:
        ready.register(connection, selectors.EVENT_WRITE, number)
        return None
    connection.close()
    return _ended(code)


def _ended(code: int) -> Tried:
    if code == 0:
        return Tried(True, "connected")
    return Tried(False, {errno.ECONNREFUSED: "refused"}.get(code, os.strerror(code)))


@contextlib.contextmanager
def alone(netns: Netns, seconds: float = 60) -> Iterator[None]:
    """One proof at a time in a namespace: each would take the other's scratch link for one of the machine's.

    The lock is one of the kernel's on the namespace itself (flock(2)): it ends with this process, and leaves no file.
    Raises HomeportError where another proof is not done within `seconds`.
    """
    import fcntl

    try:
        descriptor = _in(netns, _descriptor)
    except OSError as error:
        raise HomeportError("the network namespace cannot be entered", why=error.strerror or str(error)) from error
    try:
        until = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise HomeportError(
                        "nothing was proved", why="another proof runs here for long", remedy="try again when it is done"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


class Scratch:
    """The namespace, as a context: `interface` is the name of the pair's end in the target, `addresses` that end's own.

    `sources` are the addresses on this side, one for each family that works (IPv6 may be off for new interfaces).
    Raises RightsError where the caller may not make namespaces, HomeportError where something else fails.
    """

    def __init__(self, target: Netns, used: Sequence[IPNetwork]) -> None:
        self._target = target
        self._used = used
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="homeport-scratch", daemon=True)
        self._born: queue.SimpleQueue[OSError | None] = queue.SimpleQueue()
        self._channel: sockets.socket | None = None
        self._index = 0
        self.interface = f"hp{os.getpid()}"
        self.addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
        self.sources: tuple[IPv4Interface | IPv6Interface, ...] = ()

    def __enter__(self) -> Scratch:
        try:
            self._thread.start()
            problem = self._born.get(timeout=5)
            if problem is not None:
                raise problem
            self._join()
        except (OSError, RuntimeError, queue.Empty, WireError) as error:
            self.close()
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            if isinstance(error, PermissionError):
                raise RightsError(
                    "a scratch network namespace cannot be made", why=why, remedy="run it as root"
                ) from None
            raise HomeportError("a scratch network namespace cannot be made", why=why) from error
        except BaseException:  # interrupted: nothing is left behind
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, action: Callable[[], T]) -> T:
        """The answer of `action`, run inside the scratch namespace."""
        answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put((action(), None))
            except BaseException as error:  # noqa: BLE001  # handed to the caller, whose thread this is not
                answers.put((None, error))

        self._work.put(work)
        answer, error = answers.get()
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]

    def close(self) -> None:
        """Take the pair away, and leave the namespace to the kernel."""
        if self._channel is not None and self._index:
            try:
                _ask(self._channel, rtnetlink_changes.delete(99, self._index))
            except (OSError, WireError):  # already gone: with the namespace it goes in any case
                pass
            self._index = 0
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join(SECONDS + 2)
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _live(self) -> None:
        """The thread that is the namespace's only inhabitant."""
        try:
            _unshare()
            self._channel = _open()
        except OSError as error:
            self._born.put(error)
            return
        self._born.put(None)
        while (work := self._work.get()) is not None:
            work()

    def _join(self) -> None:
        """The pair, its addresses, and the way to the other side."""
        assert self._channel is not None  # noqa: S101
        there, far = _in(self._target, _open), _in(self._target, _descriptor)
        try:
            _ask(self._channel, rtnetlink_changes.new_pair(1, _NEAR, self.interface, far))
            self._index = self.run(lambda: sockets.if_nametoindex(_NEAR))
            index = _in(self._target, lambda: sockets.if_nametoindex(self.interface))
            self.run(_settle)
            for channel, number in ((self._channel, self._index), (there, index)):
                _ask(channel, rtnetlink_changes.up(2, number))
            for ours, theirs in _free(self._used):
                try:
                    _ask(there, rtnetlink_changes.new_address(3, index, theirs))
                except OSError:  # this family is off in the target: then nothing can come in by it
                    continue
                _ask(self._channel, rtnetlink_changes.new_address(4, self._index, ours))
                _ask(self._channel, rtnetlink_changes.new_default_route(5, self._index, theirs.ip))
                self.addresses += (theirs,)
                self.sources += (ours,)
            self._wait(there, index)
        finally:
            there.close()
            os.close(far)

    def _wait(self, there: sockets.socket, index: int) -> None:
        """Until both ends run: the kernel tells IPv6 of the carrier a moment later."""
        assert self._channel is not None  # noqa: S101
        until = time.monotonic() + 5
        while not (_runs(self._channel, self._index) and _runs(there, index)):
            if time.monotonic() > until:
                raise OSError(errno.ENETDOWN, "the veth pair does not come up")
            time.sleep(0.01)


def _unshare() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _in(netns: Netns, action: Callable[[], T]) -> T:
    if netns.own:
        return action()
    found = namespaces.inside([netns], lambda _: action())[netns]
    if isinstance(found, OSError):
        raise found
    return found


def _descriptor() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _open() -> sockets.socket:
    channel = sockets.socket(sockets.AF_NETLINK, sockets.SOCK_RAW | sockets.SOCK_CLOEXEC, _NETLINK_ROUTE)
    channel.settimeout(5)
    return channel


def _ask(channel: sockets.socket, request: bytes) -> None:
    """Send a change and read its acknowledgement. Raises the kernel's OSError."""
    channel.sendto(request, (0, 0))
    batch = rtnetlink.decode(channel.recv(1 << 16))
    if batch.error is not None:
        raise OSError(batch.error, os.strerror(batch.error))


def _runs(channel: sockets.socket, index: int) -> bool:
    channel.sendto(rtnetlink.links_request(6), (0, 0))
    flags = 0
    for _ in range(1 << 12):
        batch = rtnetlink.decode(channel.recv(1 << 18), 6)
        flags |= next((one.flags for one in batch.links if one.interface == index), 0)
        if batch.done:
            break
    return bool(flags & _RUNNING)


def _settle() -> None:
    """Settings of the scratch namespace itself; it is gone with them."""
    for path, value in _LOCAL_SETTINGS.items():
        try:
            with open(f"/proc/sys/net/{path}", "w", encoding="ascii") as file:
                file.write(value)
        except OSError:  # a kernel without IPv6: then nothing is tried over it
            continue


def networks_of(netns: Netns) -> tuple[IPNetwork, ...]:
    """Every network that a namespace has an address in, or a route to (but the default one).

    Raises HomeportError where the namespace cannot be entered, or has gone.
    """
    try:
        return _in(netns, _networks)
    except OSError as error:
        name = netns.name or netns.inode
        raise HomeportError(f"network namespace {name} cannot be looked into", why=error.strerror) from error


def _networks() -> tuple[IPNetwork, ...]:
    four = routes_ipv4(procfs.read_text("/proc/thread-self/net/route") or "")
    six = routes_ipv6(procfs.read_text("/proc/thread-self/net/ipv6_route") or "")
    own = (each.network for one in routing.interfaces() for each in one.addresses)
    return tuple(dict.fromkeys(one for one in (*own, *four, *six) if one.prefixlen))


def _free(used: Sequence[IPNetwork]) -> list[tuple[IPv4Interface | IPv6Interface, IPv4Interface | IPv6Interface]]:
    """For each family this side's address and the other's, in a network that nobody uses."""
    found: list[tuple[IPv4Interface | IPv6Interface, IPv4Interface | IPv6Interface]] = []
    taken4 = [one for one in used if isinstance(one, IPv4Network)]
    for number in range(0, _BENCHMARKING.num_addresses, 256):
        low = _BENCHMARKING.network_address + number
        network = IPv4Network((int(low), 30))
        if not any(network.overlaps(one) for one in taken4):
            found.append((ip_interface(f"{low + 2}/30"), ip_interface(f"{low + 1}/30")))
            break
    taken6 = [one for one in used if isinstance(one, IPv6Network)]
    for _ in range(8):
        low6 = ip_address(b"\xfd" + os.urandom(5) + bytes(10))  # RFC 4193 section 3.2.2
        network6 = IPv6Network((int(low6), 64))
        if not any(network6.overlaps(one) for one in taken6):
            found.append((ip_interface(f"{low6 + 2}/64"), ip_interface(f"{low6 + 1}/64")))
            break
    return found
