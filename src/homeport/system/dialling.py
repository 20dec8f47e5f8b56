"""Connections to listeners of this machine, and to nothing else: every byte that a probe sends goes through here.

Law 4 is kept twice: before a packet is sent `guard` asks whether it would stay on this machine (in the namespace from
which it is dialled), and the connected socket's peer must be the address that was judged. What the peer does is a
value, never an error: it may refuse, hang, drip or flood. A deadline bounds the whole conversation, and so does a
number of bytes.
"""

from __future__ import annotations

import errno
import select
import socket as sockets
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, TypeVar

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.dialling import Failing, Failure, Target
from homeport.rules.neighbours import destination
from homeport.system import guard
from homeport.system.namespaces import inside

if TYPE_CHECKING:
    from homeport.model.tls import Tls
    from homeport.system.tls import Session

MOST_BYTES = 1 << 18
"""How much of what a peer says is read in one conversation."""

AGAIN = 1.0
"""Seconds for a further handshake: a server that takes one client at a time keeps this one waiting for itself."""

T = TypeVar("T")
_SocketAddress = tuple[str, int] | tuple[str, int, int, int]
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

    `seconds` is how long connecting took, `ended` whether the peer closed, `failing` how it broke off if it did, and
    `detail` that in words.
    """

    def __init__(self, socket: sockets.socket, target: Target, seconds: float, until: float) -> None:
        self.target = target
        self.seconds = seconds
        self.ended = False
        self.failing: Failing | None = None
        self.detail = ""
        self._socket = socket
        self._until = until
        self._left = MOST_BYTES
        self._session: Session | None = None
        self._early = False  # whether the peer may have said something in TLS together with the end of its handshake

    def send(self, data: bytes) -> None:
        """Send all of `data`, as far as the peer takes it in time."""
        self._transmit(data if self._session is None else self._session.encrypt(data))

    def receive(self, complete: Callable[[bytes], bool] | None = None, *, seconds: float | None = None) -> bytes:
        """What the peer says next, within `seconds`; with `complete`, until that holds of what this call read.

        While there is more to read, `complete` is not asked: a flood is read once, not again with every byte of it.
        """
        until = self._sooner(seconds)
        found = bytearray()
        while (data := self._read(until)) is not None:
            found += data
            if found and (complete is None or (not self._waiting() and complete(bytes(found)))):
                break
        return bytes(found)

    def start_tls(
        self,
        *,
        server_name: str | None,
        alpn: tuple[str, ...] = (),
        verify: bool = True,
        seconds: float | None = None,
    ) -> Tls | Failure | None:
        """Speak TLS from here on, whatever the server's certificate is worth; None: the peer does not speak TLS.

        `server_name` is asked for (SNI, where it is a name) and compared with the certificate. With `verify` OpenSSL is
        asked whether the system trusts the chain: where it does not, and says so to the server, a second connection
        takes the place of this one. A handshake may take `seconds`.
        """
        from homeport.system.tls import Session

        started = time.monotonic()
        session = Session(server_name, alpn, verifying=verify)
        failure = self._shake(session, started, self._sooner(seconds))
        distrust = session.trust_error
        if distrust is not None and not session.done:
            failure = self._dial_again()
            if failure is None:
                started = time.monotonic()
                session = Session(server_name, alpn)
                failure = self._shake(session, started, self._sooner(seconds))
        if session.foreign:
            return None
        if failure is not None:
            return failure
        found = session.shown(server_name, time.monotonic() - started)
        self._session, self._early = session, True
        if verify:
            found = replace(found, trusted=distrust is None, trust_error=distrust)
        return found

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _shake(self, session: Session, started: float, until: float) -> Failure | None:
        self._transmit(session.shake(b""))
        while not session.done and session.wrong is None:
            data = self._raw(until)
            if not data:
                break
            self._transmit(session.shake(data))
        if session.done:
            return None
        seconds = time.monotonic() - started
        if session.wrong is not None:
            return Failure(Failing.ALERT if session.alert else Failing.OTHER, session.wrong, None, seconds)
        if self.failing is not None:
            return Failure(self.failing, f"{self.detail} in the TLS handshake", None, seconds)
        if self.ended:
            return Failure(Failing.CLOSED, "the peer closed the connection in the TLS handshake", None, seconds)
        if self._left <= 0:
            what = f"the TLS handshake does not end within {MOST_BYTES // 1024} KB"
            return Failure(Failing.OTHER, what, None, seconds)
        return Failure(Failing.TIMED_OUT, "the TLS handshake does not come to its end in time", None, seconds)

    def _sooner(self, seconds: float | None) -> float:
        """The end of the conversation, or of `seconds` from now."""
        return self._until if seconds is None else min(self._until, time.monotonic() + seconds)

    def _dial_again(self) -> Failure | None:
        """A new connection in the place of this one, within the same bounds."""
        self._socket.close()
        other = dial(self.target, self._until - time.monotonic())
        if isinstance(other, Failure):
            return other
        self._socket, self.ended, self.failing, self.detail = other._socket, False, None, ""
        return None

    def _read(self, until: float) -> bytes | None:
        """What came next, perhaps nothing yet; None: nothing will."""
        data = b"" if self._early else self._raw(until)
        self._early = False
        if data is None or self._session is None:
            return data
        said, answer = self._session.decrypt(data)
        if answer:
            self._transmit(answer)
        self.ended = self.ended or self._session.ended
        if self._session.wrong is not None:
            self.failing = Failing.ALERT if self._session.alert else Failing.OTHER
            self.detail = self._session.wrong
        return said

    def _raw(self, until: float) -> bytes | None:
        """The next bytes on the wire; None: the peer ended, broke off, or said nothing in time."""
        if self._left <= 0 or not self._wait(until):
            return None
        try:
            data = self._socket.recv(min(self._left, 1 << 16))
        except TimeoutError:  # silence is an answer
            return None
        except OSError as error:
            self._broke(error)
            return None
        if not data and self.target.protocol is Protocol.TCP:
            self.ended = True
            return None
        self._left -= len(data) or 1
        return data

    def _transmit(self, data: bytes) -> None:
        if data and self._wait(self._until):
            try:
                self._socket.sendall(data)
            except OSError as error:
                self._broke(error)

    def _waiting(self) -> bool:
        """Whether bytes are there to be read at once, and may be."""
        if self._left <= 0 or self.ended or self.target.protocol is not Protocol.TCP:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return any(event == select.POLLIN for _, event in poll.poll(0))

    def _wait(self, until: float) -> bool:
        left = until - time.monotonic()
        if left <= 0 or self.ended or self.failing is not None:
            return False
        self._socket.settimeout(left)
        return True

    def _broke(self, error: OSError) -> None:
        self.failing = failing_of(error)
        self.detail = error.strerror or str(error)


def dial(target: Target, seconds: float) -> Connection | Failure:
    """Connect, and have `seconds` in all for the whole conversation."""
    started = time.monotonic()
    if seconds <= 0:
        return Failure(Failing.TIMED_OUT, "no time was left", None, 0.0)
    address = destination(target.address)
    try:
        opened = _within(target, lambda: guard.why_not(target) or _opened(target, address))
    except OSError as error:
        return _failure(error, started)
    if isinstance(opened, str):
        return Failure(Failing.NOT_THIS_MACHINE, opened, None, time.monotonic() - started)
    socket, place = opened
    try:
        socket.settimeout(max(0.001, seconds - (time.monotonic() - started)))
        socket.connect(place)
        peer = ip_address(socket.getpeername()[0])
        if int(destination(peer)) != int(address):
            socket.close()
            return Failure(Failing.NOT_THIS_MACHINE, f"connected to {peer} instead", None, time.monotonic() - started)
    except OSError as error:
        socket.close()
        return _failure(error, started)
    return Connection(socket, target, time.monotonic() - started, started + seconds)


def tls_versions(target: Target, server_name: str | None, seconds: float) -> tuple[str, ...] | None:
    """Which versions of TLS a server takes, oldest first, each asked by a handshake on a connection of its own.

    None: the `seconds` for all of them were over before each had its answer.
    """
    from homeport.system.tls import VERSIONS, Session

    until = time.monotonic() + seconds
    taken = []
    for version in VERSIONS:
        session = Session(server_name, (), version=version)
        other = dial(target, min(AGAIN, until - time.monotonic()))
        if isinstance(other, Failure):
            return None
        with other:
            failure = other._shake(session, time.monotonic(), other._until)
        if failure is not None and failure.failing is Failing.TIMED_OUT:
            return None
        if session.done:
            taken.append(version)
    return tuple(taken)


def refusal(target: Target) -> str | None:
    """Why an address may not be dialled (law 4), or None where it is of this machine."""
    try:
        return _within(target, lambda: guard.why_not(target))
    except OSError as error:
        return error.strerror or str(error)


def failing_of(error: OSError) -> Failing:
    """Which failing an error of the kernel is."""
    if isinstance(error, TimeoutError):
        return Failing.TIMED_OUT
    return _FAILING.get(error.errno or 0, Failing.OTHER)


def _within(target: Target, action: Callable[[], T]) -> T:
    """`action` in the target's namespace. Raises the OSError of entering it, or of the action itself."""
    if target.netns is None or target.netns.own:
        return action()
    found = inside([target.netns], lambda _: action())[target.netns]
    if isinstance(found, OSError):
        raise OSError(found.errno, f"its network namespace cannot be entered: {found.strerror or found}")
    return found


def _opened(target: Target, address: IPAddress) -> tuple[sockets.socket, _SocketAddress]:
    """A socket of the calling thread's namespace, and where to connect it. Raises OSError.

    It reaches no further than this machine's own links (SO_DONTROUTE, socket(7)), should the address be lost meanwhile.
    """
    place: _SocketAddress = (str(address), target.port)
    if isinstance(address, IPv6Address):
        zone = address.scope_id
        index = 0 if zone is None else int(zone) if zone.isdecimal() else sockets.if_nametoindex(zone)
        place = (str(IPv6Address(int(address))), target.port, 0, index)
    kind = sockets.SOCK_STREAM if target.protocol is Protocol.TCP else sockets.SOCK_DGRAM
    socket = sockets.socket(sockets.AF_INET if address.version == 4 else sockets.AF_INET6, kind)
    try:
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_DONTROUTE, 1)
    except OSError:  # a belt beside the braces: `guard` has judged the address
        pass
    return socket, place


def _failure(error: OSError, started: float) -> Failure:
    detail = "nothing came back in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
    return Failure(failing_of(error), detail, error.errno, time.monotonic() - started)
