"""Connections to listeners of this machine, and to nothing else: every byte that a probe sends goes through here.

Law 4 is kept twice: before a packet is sent the kernel is asked whether the address is its own (in the namespace from
which it is dialled), and the connected socket's peer must be that address. What the peer does is a value, never an
error: it may refuse, hang, drip or flood. A deadline bounds the whole conversation, and so does a number of bytes.
"""

from __future__ import annotations

import errno
import os
import socket as sockets
import time
from collections.abc import Callable
from ipaddress import ip_address

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.dialling import Failing, Failure, Target
from homeport.rules.neighbours import destination
from homeport.system import routing
from homeport.system.namespaces import inside

MOST_BYTES = 1 << 18
"""How much of what a peer says is read in one conversation."""

_LOCAL = "local"
_FAILING = {
    errno.ECONNREFUSED: Failing.REFUSED,
    errno.ECONNRESET: Failing.RESET,
    errno.ETIMEDOUT: Failing.TIMED_OUT,
    errno.EHOSTUNREACH: Failing.UNREACHABLE,
    errno.ENETUNREACH: Failing.UNREACHABLE,
    errno.EADDRNOTAVAIL: Failing.UNREACHABLE,
    errno.EHOSTDOWN: Failing.UNREACHABLE,
    errno.EACCES: Failing.FORBIDDEN,
    errno.EPERM: Failing.FORBIDDEN,
    errno.EMFILE: Failing.EXHAUSTED,
    errno.ENFILE: Failing.EXHAUSTED,
    errno.ENOBUFS: Failing.EXHAUSTED,
    errno.ENOMEM: Failing.EXHAUSTED,
    errno.EAGAIN: Failing.EXHAUSTED,
}


class Connection:
    """A conversation with a listener: sends, receives and closes; see `services.kind.Conversation`.

    `seconds` is how long connecting took, `ended` whether the peer closed, `failing` how it broke off if it did.
    """

    def __init__(self, socket: sockets.socket, target: Target, seconds: float, until: float) -> None:
        self.target = target
        self.seconds = seconds
        self.ended = False
        self.failing: Failing | None = None
        self._socket = socket
        self._until = until
        self._left = MOST_BYTES

    def send(self, data: bytes) -> None:
        """Send all of `data`, as far as the peer takes it in time."""
        if self._wait():
            try:
                self._socket.sendall(data)
            except OSError as error:
                self._broke(error)

    def receive(self, complete: Callable[[bytes], bool] | None = None, *, seconds: float | None = None) -> bytes:
        """What the peer says next, within `seconds`; with `complete`, until that holds of what this call read."""
        until = self._until if seconds is None else min(self._until, time.monotonic() + seconds)
        found = bytearray()
        while self._left > 0 and self._wait(until):
            try:
                data = self._socket.recv(min(self._left, 1 << 16))
            except TimeoutError:  # silence is an answer
                break
            except OSError as error:
                self._broke(error)
                break
            if not data and self.target.protocol is Protocol.TCP:
                self.ended = True
                break
            found += data
            self._left -= len(data) or 1
            if complete is None or complete(bytes(found)):
                break
        return bytes(found)

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self, until: float | None = None) -> bool:
        left = (self._until if until is None else until) - time.monotonic()
        if left <= 0 or self.ended or self.failing is not None:
            return False
        self._socket.settimeout(left)
        return True

    def _broke(self, error: OSError) -> None:
        self.failing = failing_of(error)


def dial(target: Target, seconds: float) -> Connection | Failure:
    """Connect, and have `seconds` in all for the whole conversation."""
    started = time.monotonic()
    outside = refusal(target)
    if outside is not None:
        return Failure(Failing.NOT_THIS_MACHINE, outside, None, time.monotonic() - started)
    kind = sockets.SOCK_STREAM if target.protocol is Protocol.TCP else sockets.SOCK_DGRAM
    family = sockets.AF_INET if target.address.version == 4 else sockets.AF_INET6
    try:
        socket = _socket(target, family, kind)
    except OSError as error:
        return _failure(error, started)
    try:
        socket.settimeout(seconds)
        socket.connect((str(target.address), target.port))
        peer = ip_address(socket.getpeername()[0])
        if destination(peer) != destination(target.address):
            socket.close()
            return Failure(Failing.NOT_THIS_MACHINE, f"connected to {peer} instead", None, time.monotonic() - started)
    except OSError as error:
        socket.close()
        return _failure(error, started)
    return Connection(socket, target, time.monotonic() - started, started + seconds)


def refusal(target: Target) -> str | None:
    """Why an address may not be dialled (law 4), or None where the kernel says that it is this machine's own."""
    address = destination(target.address)
    if target.netns is None or target.netns.own:
        return _refusal(address)
    found = inside([target.netns], lambda _: _refusal(address)).get(target.netns)
    return f"its network namespace cannot be entered: {found.strerror}" if isinstance(found, OSError) else found


def failing_of(error: OSError) -> Failing:
    """Which failing an error of the kernel is."""
    if isinstance(error, TimeoutError):
        return Failing.TIMED_OUT
    return _FAILING.get(error.errno or 0, Failing.OTHER)


def _refusal(address: IPAddress) -> str | None:
    if address.is_multicast:
        return f"{address} is a group, not an address of this machine"
    if address.is_loopback and not os.path.exists("/proc/sys/net"):
        return None
    route = routing.route(address)
    if route.kind == _LOCAL:
        return None
    if route.error is not None:
        return f"{address} is no address of this machine: {route.error}"
    by = f" by {route.interface}" if route.interface else ""
    return f"{address} is no address of this machine: packets to it would leave{by}"


def _socket(target: Target, family: int, kind: int) -> sockets.socket:
    if target.netns is None or target.netns.own:
        return sockets.socket(family, kind)
    found = inside([target.netns], lambda _: sockets.socket(family, kind))[target.netns]
    if isinstance(found, OSError):
        raise found
    return found


def _failure(error: OSError, started: float) -> Failure:
    detail = "nothing came back in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
    return Failure(failing_of(error), detail, error.errno, time.monotonic() - started)
