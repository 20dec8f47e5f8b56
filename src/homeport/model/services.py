"""What speaks at a listener."""

from __future__ import annotations

from homeport.lean import NamedTuple
from homeport.model.evidence import Confidence, Evidence

WIRE = "the wire"
"""The source of evidence that is what the peer said."""


class Service(NamedTuple):
    """What was recognised at a listener, by what it said.

    `protocol` is what a client has to speak: "http", "postgresql", "ssh" …; `tls`: inside of TLS. `product` is the
    program or application by its own name ("nginx", "Jupyter Server"), `version` as it tells it; None: not told.
    `confidence` is CERTAIN where the bytes themselves prove it. `facts` are what else it told without being logged in,
    by name: "server" (what carries an application), "authentication" ("demanded" or "not demanded") …
    """

    protocol: str
    product: str | None
    version: str | None
    tls: bool
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def spoke(self) -> bool:
        """Whether it said something that shows what it is; else it is taken for what its owner's program is."""
        return any(one.source == WIRE for one in self.evidence)


class DatabaseFacts(NamedTuple):
    """What a developer needs of a database, as far as it is known without logging in.

    `url` is a connection string with a mask where the password belongs. `authentication` is "demanded" (of PostgreSQL
    with the method), "not demanded" or "refused …", `tls` "offered", "demanded" or "not offered"; None: neither the
    handshake nor the server's own files tell. `connections` are established now; `data_folder` as the owner sees it.
    """

    url: str
    version: str | None
    authentication: str | None
    tls: str | None
    connections: int | None
    data_folder: str | None
    evidence: tuple[Evidence, ...]
