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
    CLOSED = "closed"
    """The peer ended the connection before it said what was waited for."""
    UNREACHABLE = "unreachable"
    """EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, EADDRNOTAVAIL: no route, or an ICMP error."""
    FORBIDDEN = "forbidden"
    """EACCES, EPERM: a local rule refuses it before it is sent."""
    EXHAUSTED = "exhausted"
    """EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN: this side has no more descriptors, ports or memory."""
    ALERT = "alert"
    """The peer ended the TLS handshake with an alert (RFC 8446 §6), which the detail names."""
    ONLY_HTTP2 = "only-http2"
    """HTTP/1 was spoken, and frames of HTTP/2 came back."""
    NOT_HTTP = "not-http"
    """What came back is no HTTP."""
    NOT_TLS = "not-tls"
    """TLS was spoken, and something else came back."""
    NOT_THIS_MACHINE = "not-this-machine"
    """Nothing was sent: the address is not one of this machine."""
    OTHER = "other"


TLS_ALERT = "it answers with an alert of TLS"
"""The detail of a NOT_HTTP: plain text was sent to who wants TLS."""
MID_HEADER = "it closed the connection before the end of its header"
"""The detail of a CLOSED: something came, and no whole answer."""


class Failure(NamedTuple):
    """There is no connection. `errno` where the kernel gave one; `seconds` until that was known."""

    failing: Failing
    detail: str
    errno: int | None
    seconds: float
