"""What a step of a check is made of. A step opens nothing: it reaches the machine through the `World` that it is given.

A step is two functions of the case: `look` finds out more, `tell` says what was found. The time between is measured by
whoever takes the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from typing import Protocol as Interface

from homeport.model.addresses import IPAddress
from homeport.model.case import Attempt, Case, Claim, Condition
from homeport.model.diagnosis import Layer, Observation
from homeport.model.dialling import Failure
from homeport.model.evidence import Evidence
from homeport.model.explanation import AddressExplanation
from homeport.model.firewall import Judgement
from homeport.model.http import Exchange, Health, Upgrade
from homeport.model.publishing import Published
from homeport.model.services import Service
from homeport.model.snapshot import Listener, Netns
from homeport.model.tls import Tls


class Surroundings(NamedTuple):
    """What a look at the asked address and its port found; names as in `Case`. `error`: the name gives nothing.

    `here`: the asked addresses to which nothing leaves this machine; `there`: the other namespace that has them.
    """

    name: str | None
    error: str | None
    addresses: tuple[AddressExplanation, ...]
    here: tuple[IPAddress, ...]
    away: tuple[IPAddress, ...]
    listening: tuple[Listener, ...]
    own: Netns | None
    namespaces: Mapping[int, str | None]
    limits: tuple[str, ...]
    search: tuple[str, ...] = ()
    unix_sockets: tuple[str, ...] = ()
    in_vain: tuple[Evidence, ...] = ()
    near: tuple[Listener, ...] = ()
    there: int | None = None


class Greeting(NamedTuple):
    """What a peer said unasked, and whether it closed the connection by itself."""

    said: bytes
    ended: bool


class Untouchable(NamedTuple):
    """Why a listener is not connected to. `leaves`: its bytes go to another machine; `service`: what it is known as."""

    why: str
    leaves: bool
    service: Service | None


class World(Interface):
    """The machine, as far as a check needs it. Everything is bounded by the time that is left; nothing raises."""

    def left(self) -> float:
        """Seconds left for the whole check."""
        ...

    def survey(self) -> Surroundings:
        """The asked name, its addresses, and the sockets with the asked port."""
        ...

    def loopback(self) -> bool | None:
        """Whether the loopback interface is up; None: not told."""
        ...

    def published(self, port: int) -> tuple[Published, ...]:
        """The ports of the machine that lead to a container, with that number on either side."""
        ...

    def behind(self, case: Case) -> tuple[Listener, ...]:
        """What listens on the port of the container that the asked port leads to."""
        ...

    def judge(self, case: Case, address: IPAddress) -> Judgement | None:
        """What the firewall says to a connection from here to one of the addresses; None: it has nothing to say."""
        ...

    def untouchable(self, listener: Listener) -> Untouchable | None:
        """Why not even a connection is to be made; None: it may be."""
        ...

    def attempt(self, addresses: tuple[IPAddress, ...], port: int) -> tuple[Attempt, ...]:
        """A TCP connection to each, all at once."""
        ...

    def greeting(self, address: IPAddress, port: int) -> Greeting | Failure:
        """What is said unasked on a connection of its own."""
        ...

    def tls(self, case: Case) -> Tls | Failure | None:
        """A TLS handshake; None: the peer did not speak TLS."""
        ...

    def recognise(self, case: Case) -> Service | None:
        """What speaks there."""
        ...

    def request(self, case: Case, *, tls: bool, host: str | None = None) -> tuple[tuple[Exchange, ...], Failure | None]:
        """A request for the asked path, and where it leads on this machine; `host`: with this Host instead."""
        ...

    def carried(self, case: Case, *, tls: bool) -> Upgrade | Health | Failure | None:
        """A WebSocket at the asked path, opened and closed, or what gRPC's health service says, as the scheme means.

        None: neither is meant, or something else than gRPC answers.
        """
        ...

    def conditions(self, listener: Listener) -> tuple[Condition, ...]:
        """How the processes that hold a listener are doing."""
        ...

    def again(self, listener: Listener) -> Listener | None:
        """A listener as it is now; None: it is gone."""
        ...

    def claims(self, case: Case) -> tuple[Claim, ...]:
        """The processes that were told to use the port, watched for a moment."""
        ...

    def relatives(self, case: Case) -> tuple[Listener, ...]:
        """Other listeners of the project in which the caller stands."""
        ...

    def said(self, case: Case) -> tuple[Evidence, ...]:
        """The last errors that the owner logged."""
        ...

    def usual(self) -> tuple[Evidence, ...]:
        """Who last or usually lives on the port."""
        ...


class Probe(NamedTuple):
    """One step. `look` returns the case with what it found, `tell` puts that into words, given how long it took."""

    layer: Layer
    look: Callable[[Case, World], Case]
    tell: Callable[[Case, float], Iterable[Observation]]
