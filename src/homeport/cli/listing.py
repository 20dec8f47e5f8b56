"""`homeport ls`: its options as data, and its answer as text, pids, CSV or JSON.

On the hot path: no click here. `OPTIONS` is what both `cli.quick` and the click command are made of.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from homeport.cli.text import Paint, cut, safe, table
from homeport.errors import UsageError
from homeport.lean import NamedTuple
from homeport.model.addresses import IPAddress, Protocol, Scope
from homeport.model.owners import Owner, Reason
from homeport.model.snapshot import Listener, Snapshot
from homeport.model.sockets import Socket
from homeport.operations.asking import Wish, understand
from homeport.operations.ls import look
from homeport.rules.naming import address_text, label


class Option(NamedTuple):
    """One option: its spellings, the field of `Request` or `Wish` it fills, what it takes, and its help."""

    names: tuple[str, ...]
    field: str
    takes: str  # "" a flag, "one" a value, "many" a value each time
    help: str
    metavar: str = ""


OPTIONS = (
    Option(("--tcp", "-t"), "tcp", "", "TCP only."),
    Option(("--udp", "-u"), "udp", "", "UDP only."),
    Option(("--all", "-a"), "all", "", "Connections too, in every state."),
    Option(("--pid",), "pid", "many", "Held by this process.", "PID"),
    Option(("--user",), "user", "many", "Held by this user (name or uid; patterns allowed).", "USER"),
    Option(("--process",), "process", "many", "Held by a process of this name (patterns).", "NAME"),
    Option(("--project",), "project", "many", "Of this project (name or folder; patterns).", "NAME"),
    Option(("--container",), "container", "many", "Of this container (name or id; patterns).", "NAME"),
    Option(("--netns",), "netns", "many", "In this network namespace (name, inode number, or own).", "NS"),
    Option(("--scope",), "scope", "many", f"One of: {', '.join(Scope)}.", "SCOPE"),
    Option(("--sort",), "sort", "one", "By port, address, pid, user, process, project, scope or age.", "COLUMN"),
    Option(("--services",), "services", "", "What speaks there: each is asked a few harmless questions."),
    Option(("--wide", "-w"), "wide", "", "Full command lines, descriptors, inodes and queues."),
    Option(("-q", "--quiet"), "quiet", "", "Process ids only, one a line."),
    Option(("--json",), "json", "", "One JSON document."),
    Option(("--csv",), "csv", "", "Comma-separated values with a header (RFC 4180)."),
    Option(("--source",), "source", "one", "Use this source: bpf, netlink or psutil.", "SOURCE"),
)

SCOPES = {
    Scope.MACHINE: "this machine",
    Scope.LINK: "link",
    Scope.PRIVATE: "private network",
    Scope.PUBLIC: "public address",
    Scope.MULTICAST: "multicast",
    Scope.EVERY: "every interface",
}
_NOBODY = {
    Reason.OTHER_USER: "another user's",
    Reason.KERNEL: "no process",
    Reason.UNACCEPTED: "not accepted",
    Reason.ORPHAN: "closed",
    Reason.TIME_WAIT: "",
    Reason.OTHER_NAMESPACE: "other namespace",
    Reason.RACED: "gone",
    Reason.UNKNOWN: "hidden",
}
_CHUNK = 10_000
"""Lines that are written at once."""
SORTS = ("port", "address", "pid", "user", "process", "project", "scope", "age")
_CSV = (
    "protocol", "address", "port", "state", "peer_address", "peer_port", "scope", "netns", "inode", "uid", "pid",
    "name", "user", "start_time", "container", "unit", "project", "unattributed",
)  # fmt: skip
_CSV_SERVICE = ("service", "product", "version", "tls", "confidence")


class Request(NamedTuple):
    """What to list and how to print it."""

    wish: Wish = Wish()
    sort: str = "port"
    wide: bool = False
    quiet: bool = False
    json: bool = False
    csv: bool = False
    source: str | None = None
    services: bool = False


def answer(request: Request) -> int:
    """Look once and print; the exit code: 0, or 1 when nothing was found (of pids: when none can be named)."""
    if request.json + request.csv + request.quiet > 1:
        raise UsageError("--json, --csv and --quiet exclude one another", remedy="--json has the pids too")
    snapshot = take(request)
    found = bool(snapshot.listeners)
    if request.json:
        from homeport.cli.document import emit
        from homeport.operations.documents.listing import stream

        emit("ls", stream(snapshot))
    elif request.csv:
        _write_csv(snapshot, services=request.services)
    elif request.quiet:
        pids = sorted({one.process.pid for listener in snapshot.listeners for one in listener.owners})
        sys.stdout.write("".join(f"{pid}\n" for pid in pids))
        found = bool(pids)
    else:
        _write_text(snapshot, request)
    if not request.json:  # which holds them
        for limit in snapshot.limits:
            sys.stderr.write(f"note: {safe(limit)}\n")
    from homeport.system.history import record

    record(snapshot.listeners)
    return 0 if found else 1


def take(request: Request) -> Snapshot:
    """The snapshot that a request asks for, sorted."""
    if request.sort not in SORTS:
        raise UsageError(f"there is no column {request.sort!r} to sort by", remedy=f"one of: {', '.join(SORTS)}")
    query, keep = understand(request.wish)
    snapshot = look(query, request.source, keep)
    if request.services and not request.quiet:
        from homeport.operations.services import recognised

        snapshot = recognised(snapshot, None if keep is None else look(query, request.source).listeners)
    return snapshot._replace(listeners=tuple(_sorted(snapshot, request.sort)))


def _sorted(snapshot: Snapshot, column: str) -> list[Listener]:
    own = next((one.inode for one in snapshot.netns if one.own), None)

    numbers: dict[int, tuple[int, int]] = {}  # by id(): sources share address objects, and int() of one is slow

    def port(one: Listener) -> tuple[object, ...]:
        socket = one.socket
        address = socket.address
        number = numbers.get(id(address)) or numbers.setdefault(id(address), (address.version, int(address)))
        return socket.netns != own, socket.port, socket.protocol is Protocol.UDP, number, socket.inode or 0

    rows = sorted(snapshot.listeners, key=port)
    if column == "port":
        return rows
    if column == "address":
        return sorted(rows, key=lambda one: (one.socket.address.version, int(one.socket.address)))
    if column == "scope":
        return sorted(rows, key=lambda one: list(Scope).index(one.scope))
    # rows without an owner come last
    if column == "age":
        return sorted(rows, key=_youth)
    if column == "pid":
        return sorted(rows, key=lambda one: one.owners[0].process.pid if one.owners else 1 << 40)
    return sorted(rows, key=lambda one: (not one.owners, _column(one.owners[0], column) if one.owners else ""))


def _youth(one: Listener) -> float:
    start = one.owners[0].process.start_time if one.owners else None
    return 1 if start is None else -start.timestamp()


def _column(owner: Owner, column: str) -> str:
    if column == "user":
        return owner.process.user or str(owner.process.uid)
    if column == "project":
        return owner.project.name.casefold() if owner.project else "\uffff"
    return label(owner.process).casefold()


def lines(snapshot: Snapshot, *, wide: bool = False, connections: bool = False, services: bool = False) -> list[str]:
    """The listing as aligned lines, the header first."""
    own = next((one.inode for one in snapshot.netns if one.own), None)
    foreign = any(one.socket.netns != own for one in snapshot.listeners)
    cells = _Cells(snapshot, own, foreign)
    socket_head = ["PORT", "PROTO", "ADDRESS", *(("STATE", "PEER") if connections else ())]
    socket_head += ["SERVICE"] if services else []
    owner_head = ["SCOPE", "OWNER", "PID", "USER", "OF", "AGE", *(("NETNS",) if foreign else ())]
    wide_head = ["QUEUES", "INODE", "FDS", "COMMAND"] if wide else []
    # the cells of an owner are the same in many rows: they are made, measured and joined once
    keys = [cells.key(one) for one in snapshot.listeners]
    owner_title, *owner_lines = table(list(cells.owners.values()), head=owner_head, right=(2, 5))
    by_key = dict(zip(cells.owners, owner_lines, strict=True))
    pairs = zip(snapshot.listeners, keys, strict=True)
    if wide or connections or services or any(one.socket.interface is not None for one in snapshot.listeners):
        rows = [
            [
                *cells.socket(one, connections),
                *((_service(one),) if services else ()),
                by_key[key],
                *(cells.wide(one) if wide else ()),
            ]
            for one, key in pairs
        ]
        printed = table(rows, head=[*socket_head, owner_title, *wide_head], right=(0,))
    else:
        # as `table` would, for ten thousand rows in a third of the time
        addresses = cells.addresses(snapshot.listeners)
        width = max(7, *map(len, addresses.values())) if addresses else 7
        addresses = {key: text.ljust(width) for key, text in addresses.items()}
        printed = [f" PORT  PROTO  {'ADDRESS':<{width}}  {owner_title}"]
        tcp, udp = f"  {'tcp':<5}  ", f"  {'udp':<5}  "
        printed += [
            f"{(socket := one.socket).port:>5}{tcp if socket.protocol is Protocol.TCP else udp}"
            f"{addresses[id(socket.address)]}  {by_key[key]}"
            for one, key in pairs
        ]
    return printed


class _Cells:
    """Cells of one listing."""

    def __init__(self, snapshot: Snapshot, own: int | None, foreign: bool) -> None:
        self.owners: dict[tuple[object, ...], list[str]] = {}
        self._now = snapshot.taken_at
        self._own = own
        self._foreign = foreign
        self._names = {one.inode: one.name for one in snapshot.netns}
        self._addresses: dict[int, str] = {}
        self._commands: dict[int, str] = {}

    def socket(self, one: Listener, connections: bool) -> list[str]:
        """PORT, PROTO, ADDRESS, and for connections STATE, PEER."""
        socket = one.socket
        row = [str(socket.port), socket.protocol.value, self._address(socket.address) + _device(socket)]
        if connections:
            peer = "" if socket.peer_address is None else f"{self._address(socket.peer_address)}:{socket.peer_port}"
            row += (socket.state.value, peer)
        return row

    def addresses(self, listeners: Sequence[Listener]) -> dict[int, str]:
        """The text of every local address, by the id() of its object."""
        for address in {id(one.socket.address): one.socket.address for one in listeners}.values():
            self._address(address)
        return self._addresses

    def key(self, one: Listener) -> tuple[object, ...]:
        """What the owner's cells of a row depend on; they are made when it is new."""
        netns = one.socket.netns if self._foreign else None
        if one.owners:
            # id(): the hash of an enum's member is slow
            key: tuple[object, ...] = (
                one.owners[0].process.pid, len(one.owners), id(one.scope), netns, one.socket.interface
            )  # fmt: skip
        else:
            key = (one.unattributed, id(one.scope), netns, one.socket.interface)
        if key not in self.owners:
            bound = one.scope is Scope.EVERY and one.socket.interface is not None
            cells = [f"interface {_device(one.socket)[1:]}" if bound else SCOPES[one.scope], *self._owner(one)]
            if self._foreign:
                cells.append("" if netns == self._own else safe(self._names.get(netns) or str(netns or "?")))
            self.owners[key] = cells
        return key

    def wide(self, one: Listener) -> list[str]:
        """QUEUES, INODE, FDS, COMMAND."""
        socket = one.socket
        queues = "" if socket.receive_queue is None else f"{socket.receive_queue}/{socket.send_queue or 0}"
        if not one.owners:
            return [queues, str(socket.inode or ""), "", ""]
        first = one.owners[0]
        process = first.process
        if process.pid not in self._commands:
            self._commands[process.pid] = safe(" ".join(process.cmdline or ()) or f"[{process.name}]")
        fds = ",".join(map(str, first.descriptors))
        return [queues, str(socket.inode or ""), fds, self._commands[process.pid]]

    def _owner(self, one: Listener) -> list[str]:
        """OWNER, PID, USER, OF, AGE."""
        if one.unattributed is not None:
            uid = one.unattributed.uid
            return [f"? {_NOBODY[one.unattributed.reason]}", "", "" if uid is None else f"uid {uid}", "", ""]
        first = one.owners[0]
        process = first.process
        name = safe(label(process)) + (f" +{len(one.owners) - 1}" if len(one.owners) > 1 else "")
        user = process.user or ("" if process.uid is None else f"uid {process.uid}")
        start = process.start_time
        old = "" if start is None else age((self._now - start).total_seconds())
        return [name, str(process.pid), safe(user), safe(belongs(first)), old]

    def _address(self, address: IPAddress) -> str:
        text = self._addresses.get(id(address))  # by id(): the snapshot keeps the objects, and hashing one is slow
        if text is None:
            plain = address_text(address)
            text = self._addresses[id(address)] = safe(f"[{plain}]" if ":" in plain else plain)
        return text


def _service(one: Listener) -> str:
    """What speaks there, as `cli.services` words it; "?" where that was not recognised."""
    from homeport.cli.services import service_text

    return "?" if one.service is None else service_text(one.service)


def _device(socket: Socket) -> str:
    """`%eth0` for a socket that is bound to an interface, as ss(8) writes it; a zone of the address says it already."""
    if socket.interface is None or (socket.address.version == 6 and socket.address.scope_id):
        return ""
    return safe(f"%{socket.device or socket.interface}")


def belongs(owner: Owner) -> str:
    """What a process belongs to, in a word: container, project (and branch), or unit."""
    if owner.container is not None:
        return f"container {owner.container.name or owner.container.id[:12]}"
    if owner.project is not None:
        return owner.project.name + (f" ({owner.project.branch})" if owner.project.branch else "")
    return owner.unit.name if owner.unit is not None else ""


def age(seconds: float) -> str:
    """An age in its largest unit: 12s, 5m, 3h, 9d."""
    number = max(0, int(seconds))
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "m"), (172800, 3600, "h")):
        if number < limit:
            return f"{number // size}{unit}"
    return f"{number // 86400}d"


def _write_text(snapshot: Snapshot, request: Request) -> None:
    paint = Paint()
    if snapshot.listeners:
        printed = lines(snapshot, wide=request.wide, connections=request.wish.all, services=request.services)
        if sys.stdout.isatty() and not request.wide:
            printed = fit(printed, width())
        printed[0] = paint(printed[0], "dim")
        for start in range(0, len(printed), _CHUNK):
            sys.stdout.write("\n".join(printed[start : start + _CHUNK]) + "\n")
    else:
        sys.stdout.write("nothing listens here that fits\n" if request.wish != Wish() else "nothing listens here\n")
    if sys.stdout.isatty() and snapshot.listeners:
        command = f"homeport {snapshot.listeners[0].socket.port}"
        text = cut(f"{command}   everything about one of them", width())
        sys.stdout.write(f"\n{paint(text[: len(command)], 'bold')}{text[len(command) :]}\n")


def width() -> int:
    """Columns of the terminal; 80 where it does not tell."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):  # no terminal, or one that does not know its size
        return 80


def fit(printed: list[str], columns: int) -> list[str]:
    """Lines cut to the terminal's width, marked where something is missing; `--wide` or a pipe shows all."""
    return [cut(line, columns) for line in printed]


def _write_csv(snapshot: Snapshot, *, services: bool) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow((*_CSV, *_CSV_SERVICE) if services else _CSV)
    for one in snapshot.listeners:
        socket = one.socket
        common = [
            socket.protocol.value, address_text(socket.address), socket.port, socket.state.value,
            socket.peer_address and address_text(socket.peer_address), socket.peer_port,
            one.scope.value, socket.netns, socket.inode, socket.uid,
        ]  # fmt: skip
        spoken = _service_cells(one) if services else ()
        for owner in one.owners:
            process = owner.process
            start = None if process.start_time is None else process.start_time.isoformat()
            texts = (
                process.name, process.user, start, owner.container and (owner.container.name or owner.container.id),
                owner.unit and owner.unit.name, owner.project and owner.project.name,
            )  # fmt: skip
            writer.writerow([*common, process.pid, *(text and safe(text) for text in texts), None, *spoken])
        if one.unattributed is not None:
            writer.writerow([*common, *(None,) * 7, f"{one.unattributed.reason}: {one.unattributed.detail}", *spoken])


def _service_cells(one: Listener) -> tuple[str | None, ...]:
    """SERVICE, product, version, tls and confidence."""
    found = one.service
    if found is None:
        return (None,) * len(_CSV_SERVICE)
    texts = (found.protocol, found.product, found.version, "yes" if found.tls else "no", found.confidence.value)
    return tuple(text and safe(text) for text in texts)
