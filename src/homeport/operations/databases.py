"""What a developer needs of a database that listens here: the page of `homeport ADDR` shows it."""

from __future__ import annotations

import os

from homeport.model.addresses import Protocol
from homeport.model.evidence import Evidence
from homeport.model.owners import Process
from homeport.model.services import DatabaseFacts, Service
from homeport.model.snapshot import Listener, Query
from homeport.model.sockets import State
from homeport.operations.ls import look
from homeport.rules.neighbours import destination
from homeport.services.databases import Database, database, option, url
from homeport.system import procfs
from homeport.system.reading import environment


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
    authentication = told.get("authentication")
    host = destination(listener.socket.address)
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
        tls="offered" if service.tls else told.get("tls"),
        connections=_connections(listener),
        data_folder=folder,
        evidence=(*service.evidence, *evidence),
    )


def _folder(kind: Database, process: Process) -> tuple[str, Evidence] | None:
    """Where it keeps its data, and how that is known."""
    words = process.cmdline or ()
    if (given := option(kind, words)) is not None:
        return _absolute(given, process), Evidence(f"/proc/{process.pid}/cmdline", f"the data folder is {given}")
    if kind.variable is not None and (given := (environment(process.pid) or {}).get(kind.variable)):
        return _absolute(given, process), Evidence(f"/proc/{process.pid}/environ", f"{kind.variable}={given}")
    if not kind.at_home or not process.cwd:
        return None
    if kind.marker is None:
        return process.cwd, Evidence(f"/proc/{process.pid}/cwd", "it works in the folder of its data")
    try:
        os.stat(f"/proc/{process.pid}/cwd/{kind.marker}")
    except OSError:  # not there, or closed to the caller: nothing is known
        return None
    return process.cwd, Evidence(f"/proc/{process.pid}/cwd", f"its working directory, which holds {kind.marker}")


def _absolute(path: str, process: Process) -> str:
    return os.path.normpath(os.path.join(process.cwd or "/", path))


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
