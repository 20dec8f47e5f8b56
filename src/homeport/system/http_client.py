"""HTTP requests to listeners of this machine: one at a time, followed only as far as they stay here (law 4).

Every connection is made by `dialling.dial`, so each hop is judged by the kernel's route. A name in a redirection is
looked up only where that asks nobody else: the name that was dialled, `localhost`, the hosts file, this machine's own
name. Any other one leads elsewhere, even if a resolver would say 127.0.0.1.
"""

from __future__ import annotations

import os
import re
import socket as sockets
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from homeport import __version__
from homeport.errors import WireError
from homeport.model.addresses import IPAddress
from homeport.model.dialling import MID_HEADER, TLS_ALERT, Failing, Failure, Target
from homeport.model.http import Exchange, Health, Redirect, Upgrade
from homeport.model.tls import Tls
from homeport.rules import redirects
from homeport.system import resolving
from homeport.system.dialling import Connection, dial, refusal
from homeport.wire import grpc, http, http2, websocket

Headers = tuple[tuple[str, str], ...]

MOST_COOKIES = 32
_LONGEST_COOKIE = 4096
_AGENT = ("User-Agent", f"homeport/{__version__}")
_BASE: Headers = (_AGENT, ("Accept", "*/*"))
_START = 48
_STALLED = 1.0
"""Seconds of silence in the middle of a body after which no more of it is waited for."""
_ALERT_RECORD = b"\x15\x03"


class _Ask(NamedTuple):
    """What every kind of request needs. `host`: name, address or bracketed address, perhaps with a port."""

    target: Target
    host: str
    path: str
    tls: bool
    seconds: float

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"

    @property
    def authority(self) -> str:
        return redirects.authority(self.scheme, self.host, self.target.port)

    @property
    def url(self) -> str:
        return redirects.url(self.scheme, self.host, self.target.port, self.path)

    @property
    def name(self) -> str:
        """The host without a port."""
        return plain_name(self.host)


class _Answer(NamedTuple):
    """A response, and when its first byte came; `trailers` are those of HTTP/2, `rest` what followed it.

    `broken`: how it ended before its body did.
    """

    response: http.Response
    first_byte: float
    trailers: Headers = ()
    rest: bytes = b""
    broken: Failing | None = None


def get(
    target: Target, *, host: str, path: str = "/", tls: bool = False, seconds: float,
    http2: bool = False, method: str = "GET", headers: Headers = (),
) -> Exchange | Failure:  # fmt: skip
    """One request. `http2`: by ALPN within TLS, else with prior knowledge (RFC 9113 §3.3)."""
    ask = _Ask(target, host, path or "/", tls, seconds)
    offered = ("h2", "http/1.1") if http2 else ("http/1.1",)

    def converse(connection: Connection, shown: Tls | None, started: float) -> _Answer | Failure:
        if http2 and (shown is None or shown.alpn == "h2"):
            return _over_http2(connection, ask, method, (*_BASE, *headers), None, started)
        return _over_http1(connection, ask, method, (*_BASE, ("Connection", "close"), *headers), started)

    found = _asked(ask, offered, converse)
    return found if isinstance(found, Failure) else found[0]


def follow(
    target: Target, *, host: str, path: str = "/", tls: bool = False, seconds: float,
    http2: bool = False, method: str = "GET", headers: Headers = (), most: int = 10,
    barred: Callable[[Target], str | None] | None = None,
) -> tuple[tuple[Exchange, ...], Failure | None]:  # fmt: skip
    """A request and the redirections that stay on this machine, each with where it leads; and why it broke off.

    Cookies that an answer sets are sent on to the same host, as a browser does: many a server else redirects for ever.
    `barred` says why a listener is left alone, though its address is this machine's (`services.forwarders`): it is
    asked of every other one than the first.
    """
    first = target
    until = time.monotonic() + seconds
    made: list[Exchange] = []
    seen: set[object] = set()
    cookies: dict[str, dict[str, str]] = {}
    while True:
        jar = cookies.setdefault(plain_name(host), {})
        seen.add((tls, host.lower(), target.port, path, tuple(jar.items())))
        sent = (("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items())),) if jar else ()
        found = get(
            target, host=host, path=path, tls=tls, seconds=until - time.monotonic(),
            http2=http2, method=method, headers=(*headers, *sent),
        )  # fmt: skip
        if isinstance(found, Failure):
            return tuple(made), found
        _keep_cookies(jar, found)
        if found.status not in redirects.STATUSES or found.location is None:
            return (*made, replace(found, location=None)), None
        place = redirects.place(found.url, found.location)
        address = None if place is None else _address(place, host, target)
        if place is None or address is None:
            kind = Redirect.UNREADABLE if place is None else Redirect.ELSEWHERE
            return (*made, replace(found, redirect=kind)), None
        target = Target(address, place.port, netns=target.netns)
        why = barred(target) if barred is not None and target != first else None
        if why is not None:
            return (*made, replace(found, redirect=Redirect.UNTOUCHED, untouched=why)), None
        host, path, tls = place.host, place.path, place.scheme == "https"
        jar = cookies.get(plain_name(host), {})
        if (tls, host.lower(), target.port, path, tuple(jar.items())) in seen:
            return (*made, replace(found, redirect=Redirect.LOOP)), None
        if len(made) >= most:
            return (*made, replace(found, redirect=Redirect.TOO_MANY)), None
        made.append(replace(found, redirect=Redirect.HERE))


def upgrade(
    target: Target, *, host: str, path: str = "/", tls: bool = False, seconds: float,
    protocols: tuple[str, ...] = (), headers: Headers = (),
) -> Upgrade | Failure:  # fmt: skip
    """Ask for a WebSocket (RFC 6455), and close it at once where the server agrees."""
    ask = _Ask(target, host, path or "/", tls, seconds)
    nonce = os.urandom(16)
    wanted = (("Sec-WebSocket-Protocol", ", ".join(protocols)),) if protocols else ()
    origin = ("Origin", f"{ask.scheme}://{ask.authority}")
    closed = False

    def converse(connection: Connection, _: Tls | None, started: float) -> _Answer | Failure:
        nonlocal closed
        try:
            data = websocket.request(ask.path, ask.authority, nonce, (_AGENT, origin, *wanted, *headers))
        except WireError as error:
            return Failure(Failing.OTHER, str(error), None, 0.0)
        answer = _read_http1(connection, data, "GET", started)
        if isinstance(answer, _Answer) and websocket.refusal(answer.response, nonce) is None:
            connection.send(websocket.close(os.urandom(4)))
            closed = _ends_with_close(connection, answer.rest)
        return answer

    found = _asked(ask, ("http/1.1",), converse)
    if isinstance(found, Failure):
        return found
    exchange, answer = found
    refused = websocket.refusal(answer.response, nonce)
    chosen = exchange.header("sec-websocket-protocol") if refused is None else None
    return Upgrade(agreed=refused is None, refusal=refused, exchange=exchange, protocol=chosen, closed_cleanly=closed)


def health(
    target: Target, *, host: str, tls: bool = False, seconds: float, service: str = ""
) -> Health | Exchange | Failure:
    """Ask gRPC's health service for the state of `service` (empty: of all); an Exchange where that is no gRPC."""
    ask = _Ask(target, host, grpc.PATH, tls, seconds)

    def converse(connection: Connection, _: Tls | None, started: float) -> _Answer | Failure:
        try:
            body = grpc.health_request(service)
        except WireError as error:
            return Failure(Failing.OTHER, str(error), None, 0.0)
        return _over_http2(connection, ask, "POST", (_AGENT, *grpc.HEADERS), body, started)

    found = _asked(ask, ("h2",), converse)
    if isinstance(found, Failure):
        return found
    exchange, answer = found
    said = grpc.status(answer.response, answer.trailers)
    if said is None:
        return exchange
    serving = grpc.serving(exchange.body) if said[0] == grpc.STATUSES[0] else None
    return Health(status=said[0], message=said[1], serving=serving, exchange=exchange)


def plain_name(host: str) -> str:
    """A host without its port, its brackets and a dot at its end, in lower case: as a certificate has it."""
    plain = host if host.startswith("[") or host.count(":") < 2 else f"[{host}]"
    return re.sub(r"(?<!:):\d+$", "", plain).strip("[]").rstrip(".").lower()


def _asked(
    ask: _Ask, alpn: tuple[str, ...], converse: Callable[[Connection, Tls | None, float], _Answer | Failure]
) -> tuple[Exchange, _Answer] | Failure:
    """Connect, speak TLS where that is wanted, and have one exchange."""
    started = time.monotonic()
    connection = dial(ask.target, ask.seconds)
    if isinstance(connection, Failure):
        return connection
    with connection:
        shown = None
        if ask.tls:
            agreed = connection.start_tls(server_name=ask.name, alpn=alpn, verify=False)
            if isinstance(agreed, Failure):
                return agreed
            if agreed is None:
                return Failure(Failing.NOT_TLS, "what came back is no TLS", None, time.monotonic() - started)
            shown = agreed
        answer = converse(connection, shown, started)
        if isinstance(answer, Failure):
            return answer._replace(seconds=time.monotonic() - started)
    response = answer.response
    location = response.header("location") if response.status in redirects.STATUSES else None
    return Exchange(
        target=ask.target,
        url=ask.url,
        status=response.status,
        reason=response.reason,
        version=response.version,
        headers=response.headers,
        body=response.body,
        cut=response.cut,
        first_byte=answer.first_byte,
        seconds=time.monotonic() - started,
        tls=shown,
        location=location,
        broken=answer.broken,
    ), answer


def _over_http1(connection: Connection, ask: _Ask, method: str, headers: Headers, started: float) -> _Answer | Failure:
    try:
        data = http.request(method, ask.path, ask.authority, headers)
    except WireError as error:
        return Failure(Failing.OTHER, str(error), None, 0.0)
    return _read_http1(connection, data, method, started)


def _read_http1(connection: Connection, request: bytes, method: str, started: float) -> _Answer | Failure:
    reader = http.Reader(method)
    first, last, start = None, started, b""
    connection.send(request)
    while not reader.done and (data := connection.receive()):
        last = time.monotonic()
        first = last - started if first is None else first
        start = (start + data)[:_START] if len(start) < _START else start
        reader.feed(data)
    ended = reader.done
    reader.end()
    if reader.response is not None and first is not None:
        broken = None if ended else _broken(connection, reader.response, time.monotonic() - last)
        return _Answer(reader.response, first, rest=reader.rest, broken=broken)
    return _unanswered(connection, start, reader.wrong if ended else None)


def _broken(connection: Connection, response: http.Response, silence: float) -> Failing | None:
    """How a body ended before its announced end. One that still came when the time was over is only long."""
    if response.complete:
        return None
    if connection.failing is not None:
        return connection.failing
    if connection.ended:
        return Failing.CLOSED
    return Failing.TIMED_OUT if response.header("content-length") is not None and silence > _STALLED else None


def _over_http2(
    connection: Connection, ask: _Ask, method: str, headers: Headers, body: bytes | None, started: float
) -> _Answer | Failure:
    try:
        asking = http2.Conversation(method, ask.scheme, ask.authority, ask.path, headers, body)
    except WireError as error:
        return Failure(Failing.OTHER, str(error), None, 0.0)
    first, start = None, b""
    connection.send(asking.opening)
    while not asking.done and (data := connection.receive()):
        first = time.monotonic() - started if first is None else first
        start = (start + data)[:_START] if len(start) < _START else start
        connection.send(asking.feed(data))
    ended = asking.done
    asking.end()
    if asking.response is not None and first is not None:
        return _Answer(asking.response, first, asking.trailers)
    return _unanswered(connection, b"" if asking.began else start, asking.wrong if ended else None, over_http2=True)


def _unanswered(connection: Connection, start: bytes, wrong: str | None, *, over_http2: bool = False) -> Failure:
    """Why there is no response, by what came instead of it: `start` is its beginning."""
    if not over_http2 and http2.speaks(start):
        return Failure(Failing.ONLY_HTTP2, "it answers HTTP/1 with frames of HTTP/2", None, 0.0)
    if start.startswith(_ALERT_RECORD):
        return Failure(Failing.NOT_HTTP, TLS_ALERT, None, 0.0)
    if over_http2 and start:
        return Failure(Failing.NOT_HTTP, f"it answers HTTP/2 with something else: {_quoted(start)}", None, 0.0)
    if wrong is not None:
        quoted = f": {_quoted(start)}" if start else ""
        return Failure(Failing.NOT_HTTP, f"{wrong}{quoted}", None, 0.0)
    if connection.failing is not None:
        return Failure(connection.failing, connection.detail, None, 0.0)
    if connection.ended:
        what = MID_HEADER if start else "it closed the connection without an answer"
        return Failure(Failing.CLOSED, what, None, 0.0)
    what = "the answer did not get as far as the end of its header" if start else "no answer came"
    return Failure(Failing.TIMED_OUT, f"{what} in time", None, 0.0)


def _quoted(start: bytes) -> str:
    return repr(start.decode("latin-1"))


def _ends_with_close(connection: Connection, rest: bytes) -> bool:
    """Whether a closing frame answers the client's; what the server says before it does not matter, and is bounded."""
    data = rest
    while True:
        place = websocket.find_close(data)
        if place is not None:
            return place
        more = connection.receive(seconds=1.0)
        if not more:
            return False
        data += more


def _keep_cookies(jar: dict[str, str], found: Exchange) -> None:
    for name, value in found.headers:
        key, equals, rest = value.partition(";")[0].partition("=")
        if name == "set-cookie" and equals and len(value) <= _LONGEST_COOKIE and len(jar) < MOST_COOKIES:
            jar[key.strip()] = rest.strip()


def _address(place: redirects.Place, host: str, target: Target) -> IPAddress | None:
    """The address of this machine that a place is at; None: it is elsewhere, or only a resolver could tell."""
    for address in _candidates(place, host, target):
        if refusal(Target(address, place.port, netns=target.netns)) is None:
            return address
    return None


def _candidates(place: redirects.Place, host: str, target: Target) -> tuple[IPAddress, ...]:
    if place.address is not None:
        return (place.address,)
    name = (place.name or "").rstrip(".").lower()
    if name == plain_name(host):
        return (target.address,)
    if name == "localhost" or name.endswith(".localhost"):
        loopbacks: tuple[IPAddress, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
        return (target.address, *loopbacks) if target.address.is_loopback else loopbacks
    known = resolving.in_hosts_file(name)
    return known or ((target.address,) if name == sockets.gethostname().rstrip(".").lower() else ())
