"""What a developer needs of a database that listens here: the page of `homeport ADDR` shows it."""

from __future__ import annotations

import os
import re

from homeport.model.addresses import Protocol
from homeport.model.evidence import Evidence
from homeport.model.owners import Process
from homeport.model.services import DatabaseFacts, Service
from homeport.model.snapshot import Listener, Query
from homeport.model.sockets import State
from homeport.operations.ls import look
from homeport.rules.neighbours import destination
from homeport.rules.pg_hba import deciding
from homeport.services.databases import ONE_WAY, Database, database, option, url
from homeport.system import procfs
from homeport.system.reading import Reader, environment


def databases(listener: Listener, service: Service | None) -> DatabaseFacts | None:
    """The facts of a database; None where the service is none. Nobody is logged in for it."""
    kind = None if service is None else database(service)
    if service is None or kind is None:
        return None
    told = dict(service.facts)
    evidence: list[Evidence] = []
    folder, version = None, service.version
    for owner in listener.owners:
        found = _folder(kind, owner.process)
        if found is not None:
            folder, why = found
            evidence.append(why)
            version = version or _version(kind, owner.process, folder, evidence)
            break
    host = destination(listener.socket.address)
    tls = _tls(kind, service, told)
    authentication = told.get("authentication") or _login(kind, listener, folder, tls, evidence)
    return DatabaseFacts(
        url=url(
            kind,
            f"[{host}]" if host.version == 6 else str(host),
            listener.socket.port,
            login=authentication != "not demanded",
            tls=service.tls,
        ),
        version=version,
        authentication=authentication,
        tls=tls,
        connections=_connections(listener),
        data_folder=folder,
        evidence=(*service.evidence, *evidence),
    )


def _tls(kind: Database, service: Service, told: dict[str, str]) -> str | None:
    """Whether it offers TLS: what it says, else by whether it was spoken to inside of TLS."""
    if service.tls:
        return "demanded" if kind.protocol in ONE_WAY else "offered"
    return told.get("tls") or ("not offered" if kind.protocol in ONE_WAY else None)


def _login(
    kind: Database, listener: Listener, folder: str | None, tls: str | None, evidence: list[Evidence]
) -> str | None:
    """Whether a login is demanded of a client of this machine, as the server's own files or options say it."""
    for owner in listener.owners:
        words = owner.process.cmdline or ()
        if kind.protocol == "mysql" and "--skip-grant-tables" in words:
            evidence.append(Evidence(f"/proc/{owner.process.pid}/cmdline", "--skip-grant-tables"))
            return "not demanded"
        if kind.access_file is not None and folder is not None:
            return _of_access_file(kind, owner.process, listener, tls, evidence)
    return None


def _of_access_file(
    kind: Database, process: Process, listener: Listener, tls: str | None, evidence: list[Evidence]
) -> str | None:
    """What pg_hba.conf demands of the user that the connection string names; None where it may not be read."""
    found = _access_file(kind, process)
    if found is None:
        return None
    path, text = found
    client = destination(listener.socket.address)
    line = deciding(text, client, tls=tls == "offered", database=kind.path.strip("/"), user=kind.user or "")
    if line is None:
        evidence.append(Evidence(path, f"no line is for {kind.user} at {client}"))
        return f"refused: no line of {kind.access_file} fits"
    if line.method is None:
        evidence.append(Evidence(f"{path}:{line.number}", f"it may decide or not, which is not known: {line.text}"))
        return None
    evidence.append(Evidence(f"{path}:{line.number}", line.text))
    if line.method == "reject":
        return f"refused by {kind.access_file}"
    return "not demanded" if line.method == "trust" else f"demanded ({line.method})"


def _access_file(kind: Database, process: Process) -> tuple[str, str] | None:
    """pg_hba.conf, where the command line or postgresql.conf has it, else in the folder of the data, which is home."""
    words = " ".join(process.cmdline or ())
    reader = Reader(f"/proc/{process.pid}/root")
    config = re.search(r"\bconfig[_-]file=(\S+)", words)
    home = process.cwd or "/"
    name = re.search(r"\bhba[_-]file=(\S+)", words)
    if name is None:
        for _, text in reader.texts(config[1] if config else f"{home}/postgresql.conf", None):
            name = re.search(r"(?m)^\s{0,9}hba_file\s{0,9}=?\s{0,9}'([^'\n]{1,600})'", text)
    path = os.path.normpath(os.path.join(home, name[1] if name else str(kind.access_file)))
    return next(iter(reader.texts(path, None)), None)


def _folder(kind: Database, process: Process) -> tuple[str, Evidence] | None:
    """Where it keeps its data, and how that is known."""
    home = _home(kind, process)
    if home is not None:
        return home
    words = process.cmdline or ()
    if (given := option(kind, words)) is not None:
        folder = _absolute(kind, given, process)
        why = Evidence(f"/proc/{process.pid}/cmdline", f"the data folder is {given}")
        return None if folder is None else (folder, why)
    if kind.variable is not None and (given := (environment(process.pid) or {}).get(kind.variable)):
        folder = _absolute(kind, given, process)
        why = Evidence(f"/proc/{process.pid}/environ", f"{kind.variable}={given}")
        return None if folder is None else (folder, why)
    return None


def _home(kind: Database, process: Process) -> tuple[str, Evidence] | None:
    """The working directory of a server that goes to where its data are."""
    if not kind.at_home or not process.cwd:
        return None
    if kind.marker is None:
        return process.cwd, Evidence(f"/proc/{process.pid}/cwd", "it works in the folder of its data")
    try:
        os.stat(f"/proc/{process.pid}/cwd/{kind.marker}")
    except OSError:  # not there, or closed to the caller: the command line may tell
        return None
    return process.cwd, Evidence(f"/proc/{process.pid}/cwd", f"its working directory, which holds {kind.marker}")


def _absolute(kind: Database, path: str, process: Process) -> str | None:
    """A path as it was given; None where it was relative to where a server was that has gone home since."""
    if os.path.isabs(path):
        return os.path.normpath(path)
    return None if kind.at_home or process.cwd is None else os.path.normpath(os.path.join(process.cwd, path))


def _version(kind: Database, process: Process, folder: str, evidence: list[Evidence]) -> str | None:
    """The version as the data folder has it (PG_VERSION: the major one)."""
    if kind.version_file is None:
        return None
    text = procfs.read_text(f"/proc/{process.pid}/root{folder}/{kind.version_file}", 64)
    version = text.strip() if text else ""
    if not version.replace(".", "").isdecimal():
        return None
    evidence.append(Evidence(f"{folder}/{kind.version_file}", version))
    return version


def _connections(listener: Listener) -> int | None:
    """How many TCP connections to it are established now, by the kernel's sockets."""
    socket = listener.socket
    if socket.protocol is not Protocol.TCP:
        return None
    query = Query(frozenset((Protocol.TCP,)), frozenset((socket.port,)), connections=True)
    own = destination(socket.address)
    return sum(
        one.socket.state is State.ESTABLISHED
        and one.socket.port == socket.port
        and one.socket.netns == socket.netns
        and (socket.address.is_unspecified or destination(one.socket.address) == own)
        for one in look(query).listeners
    )
