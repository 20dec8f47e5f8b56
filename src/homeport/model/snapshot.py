"""All facts of one instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from homeport.lean import NamedTuple
from homeport.model.addresses import Protocol, Scope
from homeport.model.owners import Owner, Process, Unattributed
from homeport.model.sockets import Holder, Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from homeport.model.services import Service


class Query(NamedTuple):
    """What is asked of a source; a source may answer more, never less.

    `ports`: None for all, else the local ports wanted. `connections`: also sockets with a peer and TIME_WAIT.
    `namespaces`: whether other network namespaces than the caller's are asked for.
    """

    protocols: frozenset[Protocol]
    ports: frozenset[int] | None = None
    connections: bool = False
    namespaces: bool = True


class Netns(NamedTuple):
    """A network namespace: inode number (None: may not be read), name of its mount, a process in it; the caller's?"""

    inode: int | None
    name: str | None
    pid: int | None
    own: bool


class Look(NamedTuple):
    """What a source saw: sockets, the holders of each (in the same order), and in a line each what it could not see.

    `processes`: facts of holders that came with the look, by pid; the others are asked of the source.

    `owners_complete`: every process could be read, so that a socket without a holder is held by nobody.
    """

    sockets: tuple[Socket, ...]
    holders: tuple[tuple[Holder, ...], ...]
    processes: Mapping[int, Process]
    netns: tuple[Netns, ...]
    owners_complete: bool
    limits: tuple[str, ...]


class Listener(NamedTuple):
    """A socket that takes connections or datagrams (or any socket, where all were asked for) with its owners.

    Exactly one of `owners` (not empty) and `unattributed` says who holds it (law 2). `service`: what speaks there;
    None: it was not asked, or not recognised.
    """

    socket: Socket
    scope: Scope
    owners: tuple[Owner, ...]
    unattributed: Unattributed | None
    service: Service | None = None


class Snapshot(NamedTuple):
    """All facts of one instant; everything else is computed from it."""

    taken_at: datetime
    source: str
    listeners: tuple[Listener, ...]
    netns: tuple[Netns, ...]
    processes: Mapping[int, Process]
    limits: tuple[str, ...]
