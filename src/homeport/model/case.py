"""What a check has found out so far; verdicts are judged from it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from homeport.model.addresses import Endpoint, IPAddress, Protocol
from homeport.model.dialling import Failure
from homeport.model.evidence import Evidence
from homeport.model.explanation import Resolution, Route
from homeport.model.firewall import Judgement
from homeport.model.http import Exchange, Health, Upgrade
from homeport.model.owners import Process
from homeport.model.publishing import Published
from homeport.model.services import Service
from homeport.model.snapshot import Listener, Netns
from homeport.model.sockets import State
from homeport.model.tls import Tls


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to check. `seconds`: in all. `host`: the Host (and the name in TLS) to send instead of the one typed.

    `plain` and `tls` say what to speak where the address does not; `http2`: HTTP/2 with prior knowledge. `place`: the
    namespace or container that the check is made from, as it was called; None: where the caller is.
    """

    seconds: float = 5.0
    host: str | None = None
    plain: bool = False
    tls: bool = False
    http2: bool = False
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One address in the order of a client: who answers there, and who would, if that one did not."""

    address: IPAddress
    source: str
    listener: Listener | None
    sharing: tuple[Listener, ...] = ()
    beaten: tuple[Listener, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A connect(2) to one address; `failure` None: it was accepted, by the kernel at least."""

    address: IPAddress
    seconds: float
    failure: Failure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a process that holds the listener is doing.

    `state` and `tracer` are State and TracerPid of proc_pid_status(5) (None: not traced), `frozen` the file of the
    control group that freezes it (cgroups(7): cgroup.freeze of version 2, freezer.state of 1), `descriptors` how many
    it has open, `limit` and `hard_limit` its RLIMIT_NOFILE, `age` seconds since its start. None elsewhere: may not be
    read.
    """

    process: Process
    state: str | None
    tracer: int | None
    frozen: str | None
    descriptors: int | None
    limit: int | None
    age: float | None
    hard_limit: int | None = None

    @property
    def halted(self) -> bool:
        """Whether it is stopped by a signal, held by its tracer, or frozen."""
        return self.frozen is not None or self.state in ("T", "t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A process that was told to use the port: by an argument, by its environment, or by what it did before.

    `restarts`: how often it was seen to be replaced by a new process with the same command line. `listening`: where it
    listens instead.
    """

    process: Process
    age: float | None
    evidence: Evidence
    restarts: int = 0
    listening: tuple[Listener, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The accept queue of a listener: connections that wait for accept(2), and how many may (listen(2))."""

    waiting: int
    backlog: int

    @classmethod
    def of(cls, one: Listener) -> Queue | None:
        """That of a listening TCP socket, where its source tells it."""
        socket = one.socket
        if socket.state is not State.LISTEN or socket.receive_queue is None or socket.send_queue is None:
            return None
        return cls(waiting=socket.receive_queue, backlog=socket.send_queue)

    @property
    def full(self) -> bool:
        """The kernel takes one more than the backlog (`sk_acceptq_is_full` of include/net/sock.h)."""
        return self.waiting > self.backlog


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was asked, and what each step found; None and empty: not looked at yet, or nothing found.

    `name` is the host name that was typed. `addresses` are those to try, in a client's order; `away` those that are no
    addresses of this machine. `listening` is everything with that port, in any namespace; `netns` where the client is.
    `there` is the namespace that has the asked addresses, where that is another one, as a container's is.
    `listener` and `address` are where the first connection was made: the later fields are about these.
    `path_is_default`: no path was asked for, so that `/` may well not exist. `greeting` is what the peer said unasked.
    `environment` holds the proxy variables. `said` are the owner's last errors.
    """

    asked: str
    endpoint: Endpoint
    scheme: str | None
    path: str
    path_is_default: bool
    wish: Wish
    netns: Netns | None = None
    there: int | None = None
    namespaces: Mapping[int, str | None] = field(default_factory=dict)
    name: str | None = None
    name_error: str | None = None
    in_vain: tuple[Evidence, ...] = ()
    """Where the name gives nothing: the lines of the hosts file that were meant to have it, and why they do not."""
    resolutions: tuple[Resolution, ...] = ()
    search: tuple[str, ...] = ()
    """The domains that the resolver tries after the name (resolv.conf(5)); empty where it needs none."""
    routes: tuple[Route, ...] = ()
    loopback: bool | None = None
    """Whether the loopback interface is up; None: not told."""
    away: tuple[IPAddress, ...] = ()
    listening: tuple[Listener, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    published: tuple[Published, ...] = ()
    behind: tuple[Listener, ...] = ()
    """Where the connection fails: what listens on the port of the container that the asked port leads to."""
    firewall: Mapping[IPAddress, Judgement] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    address: IPAddress | None = None
    listener: Listener | None = None
    queue: Queue | None = None
    conditions: tuple[Condition, ...] = ()
    claims: tuple[Claim, ...] = ()
    unix_sockets: tuple[str, ...] = ()
    """Where nothing listens: the Unix sockets with the port in their name, on which somebody does."""
    near: tuple[Listener, ...] = ()
    """Where nothing listens: listeners whose port is almost the asked one, as if it was mistyped."""
    relatives: tuple[Listener, ...] = ()
    """Where nothing listens: other listeners of the caller's project, nearest port first."""
    greeting: bytes | None = None
    closed_early: bool = False
    tls: Tls | Failure | None = None
    untouched: str | None = None
    """Why not even a connection was made."""
    service: Service | None = None
    exchanges: tuple[Exchange, ...] = ()
    exchange_failure: Failure | None = None
    as_localhost: Exchange | None = None
    """Where the Host may have been refused: the same request with a Host that every server knows."""
    upgrade: Upgrade | None = None
    health: Health | None = None
    """What came of the WebSocket, or of the gRPC call, that the scheme asks for."""
    environment: Mapping[str, str] = field(default_factory=dict)
    callers_project: str | None = None
    said: tuple[Evidence, ...] = ()
    usual: tuple[Evidence, ...] = ()
    """Where nothing listens: who last or usually lives there."""
    limits: tuple[str, ...] = ()

    @property
    def port(self) -> int:
        """The port that was asked for."""
        return self.endpoint.port or 0

    @property
    def protocol(self) -> Protocol:
        """TCP, where nothing else was asked for."""
        return self.endpoint.protocol or Protocol.TCP

    @property
    def spoken(self) -> Service | None:
        """The service, where the peer itself said so."""
        return self.service if self.service is not None and self.service.spoke else None

    @property
    def unaccepted(self) -> bool:
        """Whether the connection that was to be greeted still waits for accept(2)."""
        return self.greeting == b"" and not self.closed_early and self.queue is not None and self.queue.waiting > 0

    @property
    def asleep(self) -> bool:
        """Whether nobody who could accept the connection runs: waiting for an answer would only take time."""
        return self.unaccepted and bool(self.conditions) and all(one.halted for one in self.conditions)

    @property
    def connected(self) -> Attempt | None:
        """The first attempt that succeeded, in a client's order."""
        return next((one for one in self.attempts if one.failure is None), None)

    @property
    def wants_tls(self) -> bool:
        """Whether the client that is meant would speak TLS at once."""
        if self.wish.tls or self.wish.plain:
            return self.wish.tls
        return self.scheme in TLS_SCHEMES

    @property
    def wants_http(self) -> bool:
        """Whether the address is of the web, as far as its scheme says so."""
        return self.scheme in WEB_SCHEMES


WEBSOCKET_SCHEMES = frozenset(("ws", "wss"))
GRPC_SCHEMES = frozenset(("grpc", "grpcs"))
WEB_SCHEMES = frozenset(("http", "https")) | WEBSOCKET_SCHEMES | GRPC_SCHEMES
TLS_SCHEMES = frozenset(
    ("https", "wss", "grpcs", "ldaps", "imaps", "pop3s", "smtps", "amqps", "mqtts", "rediss", "ftps")
)
