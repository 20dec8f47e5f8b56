"""Everything about one address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from homeport.model.addresses import Endpoint, IPAddress, Protocol
from homeport.model.diagnosis import Diagnosis
from homeport.model.evidence import Evidence
from homeport.model.explanation import Explanation
from homeport.model.lineage import Lineage
from homeport.model.logs import Logs
from homeport.model.provenance import Provenance
from homeport.model.publishing import Published
from homeport.model.reach import Reach
from homeport.model.services import DatabaseFacts
from homeport.model.snapshot import Listener, Netns
from homeport.model.sockets import Socket


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A listener of the asked address with why it runs and why it has this port; both None where no owner is known.

    `reach` says from where it can be addressed, by its bind address, its namespace and what is published. `leads_to` is
    where it, or a rule in front of it, forwards its clients; `published` are the ports of the machine that lead to it.
    `effective` is who can really connect, firewall and all; `database` what a developer needs of one.
    """

    listener: Listener
    lineage: Lineage | None
    provenance: Provenance | None
    reach: tuple[Evidence, ...]
    leads_to: tuple[Published, ...]
    published: tuple[Published, ...]
    effective: Reach | None = None
    database: DatabaseFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One address that a client of `localhost` (or of the typed name) tries, in order, and who would answer there."""

    address: IPAddress
    protocol: Protocol
    listener: Listener | None
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A connection to the asked address: the socket on this side, and who holds the other end when that is here too."""

    socket: Socket
    owner: Listener | None
    other_end: Listener | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Why nothing listens, as far as the kernel knows: one `reason` per line with its evidence."""

    reason: str
    statement: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The answer of `homeport show`, in the order in which it is read.

    `usual` says who last or usually lives there; `next` are the commands that would come next; `netns` is the inode
    number of the caller's network namespace, and `namespaces` all that were looked into. `diagnosis` is what a short
    check said; None: nothing was sent. `reach` says in sentences who can connect, `logs` are the owner's last errors.
    """

    taken_at: datetime
    asked: str
    endpoint: Endpoint
    explanation: Explanation
    residents: tuple[Resident, ...]
    near: tuple[Listener, ...]
    candidates: tuple[Candidate, ...]
    peers: tuple[Peer, ...]
    absences: tuple[Absence, ...]
    usual: tuple[Evidence, ...]
    project_listeners: tuple[Listener, ...]
    next: tuple[str, ...]
    netns: int | None
    namespaces: tuple[Netns, ...]
    limits: tuple[str, ...]
    source: str
    diagnosis: Diagnosis | None = None
    reach: tuple[str, ...] = ()
    logs: Logs | None = None
