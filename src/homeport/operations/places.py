"""Where a check is made from: a network namespace or a container, by what a person calls it."""

from __future__ import annotations

import os

from homeport.errors import HomeportError, RightsError, UsageError
from homeport.model.snapshot import Netns
from homeport.operations.ls import look
from homeport.rules.cgroups import container_of
from homeport.system import namespaces, procfs
from homeport.system.engines import Engines

_SHORTEST_ID = 4


def enter(text: str) -> Netns:
    """Bring this program into a network namespace, for good. Raises UsageError where nothing is called that."""
    found = find(text)
    try:
        namespaces.enter(found)
    except PermissionError as error:
        why, remedy = error.strerror, "sudo homeport check …"
        raise RightsError(f"the network namespace of {text} cannot be entered", why=why, remedy=remedy) from error
    except OSError as error:
        raise HomeportError(f"the network namespace of {text} cannot be entered", why=error.strerror) from error
    return found


def find(text: str) -> Netns:
    """The namespace by its name or inode number, by a process in it, or by the name or id of a container in it."""
    snapshot = look()
    for one in snapshot.netns:
        if text in (one.name, str(one.inode)):
            return one
    here = next((one.inode for one in snapshot.netns if one.own), None)
    beside = None
    for listener in snapshot.listeners:
        for owner in listener.owners:
            container = owner.container
            named = container is not None and (container.name == text or _is_id(container.id, text))
            if not named and str(owner.process.pid) != text:
                continue
            found = Netns(listener.socket.netns, None, owner.process.pid, False)
            if not named or found.inode != here:
                return found
            beside = beside or found  # what its engine publishes it with, unless it has the network of the host
    pid = int(text) if text.isdigit() else _inside_of(text)
    inode = None if pid is None else namespaces.of_process(pid)
    if inode is not None:
        return Netns(inode, None, pid, False)
    if beside is not None:
        return beside
    if pid is not None and os.path.exists(f"/proc/{pid}"):
        raise RightsError(f"the network namespace of process {pid} may not be entered", remedy="sudo homeport check …")
    names = sorted({one.name for one in snapshot.netns if one.name})
    remedy = f"there are {', '.join(names)}" if names else "a namespace's name or number, a process id, or a container"
    raise UsageError(f"no network namespace or container is called {text!r}", remedy=remedy)


def _inside_of(text: str) -> int | None:
    """A process in a container that an engine calls so, though nothing listens in it."""
    identity = next((one.id for one in Engines().containers() if one.name == text or _is_id(one.id, text)), None)
    if identity is None:
        return None
    for pid in procfs.all_pids():
        mark = container_of(procfs.read_text(f"/proc/{pid}/cgroup") or "")
        if mark is not None and mark.id == identity:
            return pid
    return None


def _is_id(identity: str, text: str) -> bool:
    return len(text) >= _SHORTEST_ID and identity.startswith(text)
