"""Sockets as the kernel reports them."""

from __future__ import annotations

from enum import StrEnum

from homeport.lean import NamedTuple
from homeport.model.addresses import Family, IPAddress, Protocol


class State(StrEnum):
    """TCP states of RFC 9293 §3.3.2 (names: include/net/tcp_states.h); UDP is `BOUND` or `ESTABLISHED`."""

    ESTABLISHED = "established"
    SYN_SENT = "syn-sent"
    SYN_RECV = "syn-recv"
    FIN_WAIT1 = "fin-wait-1"
    FIN_WAIT2 = "fin-wait-2"
    TIME_WAIT = "time-wait"
    CLOSE = "close"
    CLOSE_WAIT = "close-wait"
    LAST_ACK = "last-ack"
    LISTEN = "listen"
    CLOSING = "closing"
    NEW_SYN_RECV = "new-syn-recv"
    BOUND_INACTIVE = "bound-inactive"
    """TCP: has a port by bind(2), neither listens nor connects."""
    BOUND = "bound"
    """UDP: has a port and takes datagrams from anybody."""


class Socket(NamedTuple):
    """One kernel socket.

    `inode` is its number in sockfs and `cookie` the kernel's 64-bit socket id (SO_COOKIE, socket(7)); either is None
    where the source cannot know it or the kernel keeps none (TIME_WAIT has no inode). `netns` is the inode number of
    its network namespace (stat(2) of /proc/PID/ns/net). For a TCP listener `receive_queue` is the number of connections
    that wait for accept(2) and `send_queue` the backlog; else they are bytes (sock_diag(7)). `interface` is the index
    of the interface it is bound to (SO_BINDTODEVICE, or an IPv6 zone), `device` that one's name, where it can be told.
    """

    protocol: Protocol
    state: State
    address: IPAddress
    port: int
    peer_address: IPAddress | None
    peer_port: int | None
    inode: int | None
    cookie: int | None
    netns: int | None
    uid: int | None
    receive_queue: int | None
    send_queue: int | None
    interface: int | None
    v6only: bool | None
    device: str | None = None

    @property
    def family(self) -> Family:
        """The address family, from the local address."""
        return Family.IPV4 if self.address.version == 4 else Family.IPV6

    @property
    def is_listener(self) -> bool:
        """Whether it takes connections or datagrams from anybody: TCP in LISTEN, or UDP bound without a peer."""
        return self.state is State.LISTEN or self.state is State.BOUND


class Holder(NamedTuple):
    """A process that holds a descriptor of a socket. `start_ticks` makes the pid an identity (law 1)."""

    pid: int
    start_ticks: int | None
    descriptor: int | None
