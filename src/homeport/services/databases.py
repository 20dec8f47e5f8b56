"""What a developer needs of a database: how a client is told where it is, and where it keeps its data.

To add one: a line in DATABASES.
"""

from __future__ import annotations

from typing import NamedTuple

from homeport.model.services import Service

MASK = "****"
"""Stands for a password that homeport does not know, and would not show."""


ONE_WAY = frozenset(("redis", "memcached", "http"))
"""Protocols of which a port takes either TLS or none."""


class Database(NamedTuple):
    """One kind. `product` None: whatever speaks the protocol.

    `scheme` and `secure` (in TLS) begin its URLs, `user` stands there where a login is needed, `path` ends it. The data
    folder is the value of one of `options` on the command line, of the variable `variable`, or the working directory
    (`at_home`) if that holds `marker`, a file's name. `version_file` there tells the version, and `access_file` who is
    let in. `named`: the user stands in the URL even where no password is needed.
    """

    protocol: str
    product: str | None
    scheme: str
    secure: str
    user: str | None = None
    path: str = "/"
    options: tuple[str, ...] = ()
    variable: str | None = None
    at_home: bool = False
    marker: str | None = None
    version_file: str | None = None
    access_file: str | None = None
    named: bool = False


_POSTGRESQL = Database(
    "postgresql", None, "postgresql", "postgresql", user="postgres", path="/postgres", options=("-D", "--pgdata"),
    variable="PGDATA", at_home=True, marker="PG_VERSION", version_file="PG_VERSION",
    access_file="pg_hba.conf", named=True,
)  # fmt: skip

DATABASES: tuple[Database, ...] = (
    Database("postgresql", "PgBouncer", "postgresql", "postgresql", user="postgres", path="/postgres"),
    Database("postgresql", "CockroachDB", "postgresql", "postgresql", user="root", path="/defaultdb",
             options=("--store",)),
    _POSTGRESQL,
    Database("redis", None, "redis", "rediss", user="", path="/0", options=("--dir",), at_home=True),
    Database("mysql", None, "mysql", "mysql", user="root", options=("--datadir", "-h"), at_home=True,
             marker="ibdata1", named=True),
    Database("mongodb", None, "mongodb", "mongodb", user="admin", options=("--dbpath",)),
    Database("memcached", None, "memcached", "memcached", path=""),
    Database("cassandra", None, "cassandra", "cassandra", user="cassandra", path=""),
    Database("clickhouse", None, "clickhouse", "clickhouses", user="default"),
    Database("bolt", None, "bolt", "bolt+s", user="neo4j", path=""),
    Database("tds", None, "mssql", "mssql", user="sa"),
    Database("zookeeper", None, "zookeeper", "zookeeper", path=""),
    Database("http", "Elasticsearch", "http", "https", user="elastic"),
    Database("http", "OpenSearch", "http", "https", user="admin"),
    Database("http", "CouchDB", "http", "https", user="admin"),
    Database("http", "InfluxDB", "http", "https", user="admin"),
    Database("http", "ClickHouse", "http", "https", user="default"),
    Database("http", "etcd", "http", "https", user="root", options=("--data-dir",), variable="ETCD_DATA_DIR"),
    Database("http", "Neo4j", "http", "https", user="neo4j"),
    Database("http", "Qdrant", "http", "https"),
    Database("http", "Consul", "http", "https", options=("-data-dir", "--data-dir")),
    Database("http", "Prometheus", "http", "https", options=("--storage.tsdb.path",)),
)  # fmt: skip
"""Those of one product before those that are anybody's of their protocol."""


def database(service: Service) -> Database | None:
    """The kind of database that a service is; None: none that is known here."""
    for one in DATABASES:
        if one.protocol == service.protocol and one.product in (None, service.product):
            return one
    return None


def url(kind: Database, host: str, port: int, *, login: bool, tls: bool) -> str:
    """The connection string, with the mask for a password where a login is needed; `host` in brackets where IPv6."""
    user = "" if kind.user is None else f"{kind.user}:{MASK}@" if login else f"{kind.user}@" if kind.named else ""
    return f"{kind.secure if tls else kind.scheme}://{user}{host}:{port}{kind.path}"


def option(kind: Database, words: tuple[str, ...]) -> str | None:
    """The data folder on a command line: `-D DIR`, `--datadir=DIR`."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in kind.options:
            if equals:
                return value or None
            return words[index + 1] if index + 1 < len(words) else None
    return None
