"""psutil as a source: for macOS, Windows, and Linux without /proc or netlink."""

from __future__ import annotations

import os
import socket as sockets
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from homeport.errors import SourceError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.owners import Process
from homeport.model.snapshot import Look, Netns, Query
from homeport.model.sockets import Holder, Socket, State
from homeport.system import namespaces

_STATES = {
    "ESTABLISHED": State.ESTABLISHED,
    "SYN_SENT": State.SYN_SENT,
    "SYN_RECV": State.SYN_RECV,
    "FIN_WAIT1": State.FIN_WAIT1,
    "FIN_WAIT2": State.FIN_WAIT2,
    "TIME_WAIT": State.TIME_WAIT,
    "CLOSE": State.CLOSE,
    "CLOSE_WAIT": State.CLOSE_WAIT,
    "LAST_ACK": State.LAST_ACK,
    "LISTEN": State.LISTEN,
    "CLOSING": State.CLOSING,
}


def missing() -> str | None:
    """Why psutil cannot be used, or None."""
    try:
        import psutil  # noqa: F401
    except ImportError as error:
        return f"psutil cannot be imported: {error}"
    return None


def look(query: Query) -> Look:
    """The sockets of the caller's namespace. Raises SourceError where psutil is refused."""
    import psutil

    limits = ["psutil sees one network namespace, one holder of a shared socket, no backlogs and no inodes"]
    try:
        rows: list[Any] = list(psutil.net_connections("inet"))
        complete = True
    except psutil.AccessDenied:  # macOS asks for root here: the caller's own processes can still be read one by one
        rows, complete = _one_by_one(), False
        limits.append("sockets of other users' processes are not shown: this system gives them to root only")
    except (psutil.Error, OSError, RuntimeError) as error:
        raise SourceError("psutil cannot list sockets here", why=str(error)) from error
    mine = namespaces.own()
    merged: dict[Socket, list[Holder]] = {}
    for row in rows:
        one = _socket(row, mine)
        if one is None or one.protocol not in query.protocols:
            continue
        if (query.ports is not None and one.port not in query.ports) or not (query.connections or one.is_listener):
            continue
        held = merged.setdefault(one, [])
        if row.pid:
            held.append(Holder(row.pid, None, row.fd if row.fd is not None and row.fd >= 0 else None))
    if complete and any(not held for one, held in merged.items() if one.state is not State.TIME_WAIT):
        complete = False
        more = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else ": run with sudo (or as administrator)"
        limits.append(f"the owners of some sockets are hidden from this user{more}")
    return Look(
        tuple(merged),
        tuple([tuple(held) for held in merged.values()]),
        {},
        (Netns(mine, None, None, True),) if mine is not None else (),
        complete,
        tuple(limits),
    )


def read_process(pid: int) -> Process | None:
    """The facts of a process by psutil; what it may not tell is None."""
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            started = process.create_time()
            return Process(
                pid=pid,
                start_ticks=None,
                start_time=datetime.fromtimestamp(started, UTC),
                name=process.name(),
                cmdline=_tuple(_try(process.cmdline)),
                exe=_try(process.exe) or None,
                exe_deleted=False,
                cwd=_try(process.cwd) or None,
                uid=_uid(process),
                user=_try(process.username),
                ppid=_try(process.ppid),
                session=None,
                terminal=None,
                state=None,
                cgroup=None,
            )
    except (psutil.Error, OSError):  # it ended, or may not be seen at all
        return None


def _one_by_one() -> list[Any]:
    import psutil

    rows = []
    for process in psutil.process_iter():
        try:
            rows += [_with_pid(row, process.pid) for row in process.net_connections("inet")]
        except (psutil.Error, OSError):  # somebody else's, or ended: the limit says so
            continue
    return rows


class _with_pid:
    """A row of Process.net_connections() in the form of psutil.net_connections()."""

    def __init__(self, row: Any, pid: int) -> None:
        self.fd, self.family, self.type = row.fd, row.family, row.type
        self.laddr, self.raddr, self.status, self.pid = row.laddr, row.raddr, row.status, pid


def _socket(row: Any, netns: int | None) -> Socket | None:
    if not row.laddr or not row.laddr[1]:
        return None
    protocol = Protocol.TCP if row.type == sockets.SOCK_STREAM else Protocol.UDP
    peer = row.raddr or None
    if protocol is Protocol.UDP:
        state: State | None = State.ESTABLISHED if peer else State.BOUND
    else:
        state = _STATES.get(row.status)
    address = _address(row.laddr[0])
    if state is None or address is None:
        return None
    return Socket(
        protocol=protocol,
        state=state,
        address=address,
        port=row.laddr[1],
        peer_address=_address(peer[0]) if peer else None,
        peer_port=peer[1] if peer else None,
        inode=None,
        cookie=None,
        netns=netns,
        uid=None,
        receive_queue=None,
        send_queue=None,
        interface=None,
        v6only=None,
    )


def _address(text: str) -> IPAddress | None:
    try:
        return ip_address(text)
    except ValueError:  # an address of a family that homeport does not know
        return None


def _try(question: Any) -> Any:
    """What psutil answers, or None where it may not or cannot be told."""
    import psutil

    try:
        return question()
    except (psutil.Error, OSError):
        return None


def _tuple(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


def _uid(process: Any) -> int | None:
    if not hasattr(process, "uids"):  # Windows
        return None
    uids = _try(process.uids)
    return None if uids is None else int(uids.effective)
