"""Built cases: a client that asks 127.0.0.1:3000, and what there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from homeport.model.addresses import Endpoint, Protocol
from homeport.model.case import Attempt, Candidate, Case, Claim, Condition, Wish
from homeport.model.dialling import Failing, Failure
from homeport.model.evidence import Confidence, Evidence
from homeport.model.explanation import Resolution
from homeport.model.owners import Container, Owner, Process, Project, Reason, Unattributed
from homeport.model.snapshot import Listener, Netns
from homeport.model.sockets import Socket, State
from homeport.rules.neighbours import answerers, answerers_before_ranking
from homeport.rules.scope import scope

HERE = 4026531840
THERE = 4026532999
PORT = 3000


def process(pid: int = 100, *words: str, **facts: Any) -> Process:
    """`node server.js`, unless other words are given."""
    words = words or ("node", "server.js")
    known: dict[str, Any] = {
        "pid": pid, "start_ticks": pid, "start_time": datetime(2026, 1, 1, tzinfo=UTC), "name": words[0][:15],
        "cmdline": words, "exe": f"/usr/bin/{words[0]}", "exe_deleted": False, "cwd": "/srv/shop", "uid": 1000,
        "user": "eve", "ppid": 1, "session": 1, "terminal": None, "state": "S", "cgroup": None,
    }  # fmt: skip
    return Process(**(known | facts))


def owner(one: Process, container: Container | None = None, project: Project | None = None) -> Owner:
    """Who holds descriptor 3."""
    return Owner(one, (3,), container, None, project, Confidence.CERTAIN, ())


def container(name: str = "web") -> Container:
    """One of podman's."""
    return Container("podman", f"{name:f<64}", name, "shop:1", 50, (), ())


def project(root: str = "/srv/shop") -> Project:
    """A project with a git repository."""
    return Project(root.rsplit("/", 1)[-1], root, ".git", "main", False, None)


def listener(
    address: str = "127.0.0.1", port: int = PORT, *holders: Owner | Process, netns: int | None = HERE,
    queue: tuple[int, int] = (0, 128), **facts: Any,
) -> Listener:  # fmt: skip
    """A listening TCP socket, held by these, or by nobody who can be named."""
    protocol = facts.get("protocol", Protocol.TCP)
    known: dict[str, Any] = {
        "protocol": protocol, "state": State.LISTEN if protocol is Protocol.TCP else State.BOUND,
        "address": ip_address(address), "port": port, "peer_address": None, "peer_port": None, "inode": 4711,
        "cookie": None, "netns": netns, "uid": 1000, "receive_queue": queue[0], "send_queue": queue[1],
        "interface": None, "v6only": False,
    }  # fmt: skip
    socket = Socket(**(known | facts))
    owners = tuple(one if isinstance(one, Owner) else owner(one) for one in holders)
    nobody = None if owners else Unattributed(Reason.OTHER_USER, "made by uid 1000 (eve)", 1000)
    return Listener(socket, scope(socket.address), owners, nobody)


def case(
    listening: Iterable[Listener] = (), *, asked: tuple[str, ...] = ("127.0.0.1",), name: str | None = None,
    connect: dict[str, Failing | None] | None = None, **facts: Any,
) -> Case:  # fmt: skip
    """What the probes would have found: who answers, and how connecting ended (`connect`; else as the kernel would)."""
    listening = tuple(listening)
    protocol = facts.pop("protocol", Protocol.TCP)
    addresses = [ip_address(one) for one in asked]
    candidates, attempts = [], []
    for one in addresses:
        best = answerers(one, PORT, listening, HERE, protocol)
        every = answerers_before_ranking(one, PORT, listening, HERE, protocol)
        beaten = tuple(each for each in every if each not in best)
        candidates.append(
            Candidate(address=one, source="as typed", listener=best[0] if best else None, sharing=best, beaten=beaten)
        )
        ends = (connect or {}).get(str(one), None if best else Failing.REFUSED)
        failure = None if ends is None else Failure(ends, ends.value, None, 0.1)
        attempts.append(Attempt(address=one, seconds=0.1, failure=failure))
    first = next((one for one in candidates if one.listener is not None), None)
    found = Case(
        asked=f"{name or asked[0]}:{PORT}", endpoint=Endpoint(protocol, None if name else addresses[0], PORT),
        scheme=None, path="/", path_is_default=True, wish=Wish(), netns=Netns(HERE, None, 1, True),
        namespaces={HERE: None, THERE: "apart"}, name=name, listening=listening, candidates=tuple(candidates),
        attempts=tuple(attempts) if protocol is Protocol.TCP else (),
        resolutions=tuple(Resolution(name=name, address=one, source="/etc/hosts:1") for one in addresses)
        if name else (),
        address=None if first is None else first.address, listener=None if first is None else first.listener,
    )  # fmt: skip
    return replace(found, **facts)


def condition(one: Process, **facts: Any) -> Condition:
    """A process that is well, and an hour old."""
    known: dict[str, Any] = {
        "process": one, "state": "S", "tracer": None, "frozen": None, "descriptors": 20, "limit": 1024, "age": 3600.0,
        "hard_limit": 4096,
    }  # fmt: skip
    return Condition(**(known | facts))


def claim(one: Process, **facts: Any) -> Claim:
    """A process that was told the port by an argument."""
    evidence = Evidence(f"/proc/{one.pid}/cmdline", f"--port {PORT}")
    known: dict[str, Any] = {"process": one, "age": 3600.0, "evidence": evidence}
    return Claim(**(known | facts))
