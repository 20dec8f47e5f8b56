"""What became of an attempt to connect."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.snapshot import Netns


class Target(NamedTuple):
    """Where to connect to. `netns`: the network namespace to do it from; None: the caller's own."""

    address: IPAddress
    port: int
    protocol: Protocol = Protocol.TCP
    netns: Netns | None = None


class Failing(StrEnum):
    """Why there is no connection: by the error of connect(2), or by this program's own law."""

    REFUSED = "refused"
    """ECONNREFUSED: a RST came back, or an ICMP port unreachable."""
    TIMED_OUT = "timed-out"
    """Nothing came back in time."""
    RESET = "reset"
    """ECONNRESET."""
    UNREACHABLE = "unreachable"
    """EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, EADDRNOTAVAIL: no route, or an ICMP error."""
    FORBIDDEN = "forbidden"
    """EACCES, EPERM: a local rule refuses it before it is sent."""
    EXHAUSTED = "exhausted"
    """EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN: this side has no more descriptors, ports or memory."""
    NOT_THIS_MACHINE = "not-this-machine"
    """Nothing was sent: the address is not one of this machine."""
    OTHER = "other"


class Failure(NamedTuple):
    """There is no connection. `errno` where the kernel gave one; `seconds` until that was known."""

    failing: Failing
    detail: str
    errno: int | None
    seconds: float
