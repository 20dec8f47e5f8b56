"""The document of `homeport ls`."""

from __future__ import annotations

from typing import Any

from homeport.model.evidence import Evidence
from homeport.model.owners import Container, Owner, Process, Project, Unit
from homeport.model.services import Service
from homeport.model.snapshot import Listener, Netns, Snapshot
from homeport.rules.naming import address_text


def document(snapshot: Snapshot) -> dict[str, Any]:
    """`{taken_at, source, listeners, namespaces, limits}`; times are ISO 8601 in UTC, addresses text."""
    return {
        "taken_at": snapshot.taken_at.isoformat(),
        "source": snapshot.source,
        "listeners": [listener(one) for one in snapshot.listeners],
        "namespaces": [namespace(one) for one in snapshot.netns],
        "limits": list(snapshot.limits),
    }


def stream(snapshot: Snapshot) -> dict[str, Any]:
    """The same with an iterator of `listeners`, which are many."""
    return {**document(snapshot._replace(listeners=())), "listeners": map(listener, snapshot.listeners)}


def listener(one: Listener) -> dict[str, Any]:
    """One row of `listeners`."""
    socket = one.socket
    return {
        "protocol": socket.protocol.value,
        "address": address_text(socket.address),
        "port": socket.port,
        "family": socket.family.value,
        "state": socket.state.value,
        "peer_address": None if socket.peer_address is None else address_text(socket.peer_address),
        "peer_port": socket.peer_port,
        "netns": socket.netns,
        "inode": socket.inode,
        "cookie": socket.cookie,
        "uid": socket.uid,
        "interface": socket.interface,
        "device": socket.device,
        "v6only": socket.v6only,
        "receive_queue": socket.receive_queue,
        "send_queue": socket.send_queue,
        "scope": one.scope.value,
        "owners": [owner(each) for each in one.owners],
        "unattributed": None
        if one.unattributed is None
        else {
            "reason": one.unattributed.reason.value,
            "detail": one.unattributed.detail,
            "uid": one.unattributed.uid,
        },
        "service": None if one.service is None else service(one.service),
    }


def service(one: Service) -> dict[str, Any]:
    """What was recognised; `facts` by name."""
    return {
        "protocol": one.protocol,
        "product": one.product,
        "version": one.version,
        "tls": one.tls,
        "confidence": one.confidence.value,
        "evidence": evidence(one.evidence),
        "facts": dict(one.facts),
    }


def namespace(one: Netns) -> dict[str, Any]:
    """A network namespace."""
    return {"inode": one.inode, "name": one.name, "pid": one.pid, "own": one.own}


def owner(one: Owner) -> dict[str, Any]:
    """One owner, with how it is known."""
    return {
        **process(one.process),
        "descriptors": list(one.descriptors),
        "container": None if one.container is None else container(one.container),
        "unit": None if one.unit is None else unit(one.unit),
        "project": None if one.project is None else project(one.project),
        "confidence": one.confidence.value,
        "evidence": evidence(one.evidence),
    }


def process(one: Process) -> dict[str, Any]:
    """The facts of a process."""
    return {
        "pid": one.pid,
        "start_ticks": one.start_ticks,
        "start_time": None if one.start_time is None else one.start_time.isoformat(),
        "name": one.name,
        "cmdline": None if one.cmdline is None else list(one.cmdline),
        "exe": one.exe,
        "exe_deleted": one.exe_deleted,
        "cwd": one.cwd,
        "uid": one.uid,
        "user": one.user,
        "ppid": one.ppid,
    }


def container(one: Container) -> dict[str, Any]:
    """A container."""
    return {
        "engine": one.engine,
        "id": one.id,
        "name": one.name,
        "image": one.image,
        "pid": one.pid,
        "ports": [each._asdict() for each in one.ports],
        "evidence": evidence(one.evidence),
    }


def unit(one: Unit) -> dict[str, Any]:
    """A systemd unit."""
    return {**one._asdict(), "evidence": evidence(one.evidence)}


def project(one: Project) -> dict[str, Any]:
    """A project."""
    return one._asdict()


def evidence(some: tuple[Evidence, ...]) -> list[dict[str, str]]:
    """What a statement rests on."""
    return [each._asdict() for each in some]
