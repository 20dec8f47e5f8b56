"""One request and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from homeport.model.dialling import Failing, Target
from homeport.model.tls import Tls


class Redirect(StrEnum):
    """Where a redirection (RFC 9110 §15.4) leads."""

    HERE = "here"
    """To this machine: it was followed, or would have been, had there been time."""
    ELSEWHERE = "elsewhere"
    """Away from this machine, or to a name that only a question to another machine could tell: not followed."""
    LOOP = "loop"
    """To a request that was made already."""
    TOO_MANY = "too-many"
    """One more than are followed."""
    UNTOUCHED = "untouched"
    """To a listener of this machine that is left alone: a tunnel, a printer … It was not followed."""
    UNREADABLE = "unreadable"
    """To nothing that a browser could go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer.

    `version` is "HTTP/1.1", "HTTP/2" …; header names are in lower case, in their order. `body` is its beginning,
    decoded as far as its Content-Encoding is known, and `cut` says that there is more. `first_byte` and `seconds` are
    measured from before the connection was made. `tls`: None where it was plain. `location` is the redirection's target
    as it stood in the answer, `redirect` where that leads; both None where there is none. `untouched`: why what it
    leads to is left alone. `broken`: how the connection ended before the body did, whose length was announced; None:
    it is whole, or nobody knows how long it is.
    """

    target: Target
    url: str
    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: bool
    first_byte: float
    seconds: float
    tls: Tls | None = None
    location: str | None = None
    redirect: Redirect | None = None
    untouched: str | None = None
    broken: Failing | None = None

    def header(self, name: str) -> str | None:
        """The first header of that name, which is in lower case."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What became of the wish to speak WebSocket (RFC 6455).

    `agreed`: the server took it, and `protocol` is the subprotocol that it chose, if any. `refusal` says why not.
    `exchange` is its answer in HTTP. `closed_cleanly`: it answered the closing frame with one of its own.
    """

    agreed: bool
    refusal: str | None
    exchange: Exchange
    protocol: str | None = None
    closed_cleanly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The answer to a health check of gRPC.

    `status` is the name of its grpc-status: "OK", "UNIMPLEMENTED" (gRPC, without a health service) … `message` is what
    it says with that. `serving`: "SERVING", "NOT_SERVING" …; None where it does not tell. `exchange` is the call.
    """

    status: str
    message: str
    serving: str | None
    exchange: Exchange
