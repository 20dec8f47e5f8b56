from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address

from homeport.cli.show import ago, lines
from homeport.cli.text import Paint
from homeport.model.addresses import Endpoint, Family, Protocol, Scope
from homeport.model.evidence import Confidence, Evidence
from homeport.model.explanation import (
    AddressExplanation,
    Block,
    Explanation,
    Habit,
    PortExplanation,
    PortRange,
    Resolution,
)
from homeport.model.lineage import Cause, Lineage
from homeport.model.owners import Container, Owner, Process, Project, Reason, Unattributed
from homeport.model.page import Absence, Candidate, Page, Peer, Resident
from homeport.model.provenance import Origin, Provenance
from homeport.model.publishing import Published
from homeport.model.snapshot import Listener, Netns
from homeport.model.sockets import Socket, State
from homeport.rules.scope import scope

NOW = datetime(2025, 11, 23, 12, 0, tzinfo=UTC)
PLAIN = Paint(io.StringIO())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def process(pid: int = 4711, **changes: object) -> Process:
    made = Process(
        pid=pid, start_ticks=1, start_time=NOW - timedelta(minutes=3), name="python3",
        cmdline=("python3", "-m", "http.server", "62893", "--bind", "127.0.0.1"), exe="/usr/bin/python3.11",
        exe_deleted=False, cwd="/home/ada/shop", uid=1000, user="ada", ppid=1, session=1, terminal=0, state="S",
        cgroup=None,
    )  # fmt: skip
    return made._replace(**changes)  # type: ignore[arg-type]


PROJECT = Project("shop", "/home/ada/shop", ".git", "main", False, None)


def owner(of: Process | None = None, project: Project | None = PROJECT, container: Container | None = None) -> Owner:
    return Owner(of or process(), (3,), container, None, project, Confidence.CERTAIN, ())


def listener(address: str = "127.0.0.1", *owners: Owner, port: int = 62893, **changes: object) -> Listener:
    bound = ip_address(address)
    made = Socket(Protocol.TCP, State.LISTEN, bound, port, None, None, 1, 1, 100, 1000, 0, 5, None, False)
    nobody = None if owners else Unattributed(Reason.OTHER_USER, "held by a process of user ada", 1000)
    return Listener(made._replace(**changes), scope(bound), owners, nobody)  # type: ignore[arg-type]


def resident(one: Listener, **changes: object) -> Resident:
    facts: dict[str, object] = {
        "listener": one, "lineage": None, "provenance": None, "leads_to": (), "published": (),
        "reach": (Evidence("loopback: RFC 1122", "programs of this machine only"),),
    }  # fmt: skip
    return Resident(**{**facts, **changes})  # type: ignore[arg-type]


def explanation(address: str | None = "127.0.0.1", name: str | None = None) -> Explanation:
    addresses: tuple[AddressExplanation, ...] = ()
    if address is not None:
        one = AddressExplanation(
            address=ip_address(address), family=Family.IPV4, scope=Scope.MACHINE,
            blocks=(Block(network="127.0.0.0/8", name="Loopback", references=("RFC 1122",), allocated=None, source=None,
                          destination=None, forwardable=None, globally_reachable=None, reserved_by_protocol=None),),
            notes=(), interfaces=("lo",), routes=(), settings={},
            resolutions=(Resolution(name="localhost", address=ip_address("127.0.0.1"), source="/etc/hosts:1"),),
        )  # fmt: skip
        addresses = (one,)
    port = PortExplanation(
        port=62893, range=PortRange.DYNAMIC, services=(), registry_date=date(2025, 1, 1),
        habits=(Habit(program="homeport", what="its own page"),), ephemeral=(32768, 60999), in_ephemeral=False,
        reserved=False, privileged=False, unprivileged_start=1024, browser_refuses=False, notes=(),
    )  # fmt: skip
    endpoint = Endpoint(None, None if address is None or name else ip_address(address), 62893)
    return Explanation(asked="x", endpoint=endpoint, name=name, addresses=addresses, port=port, limits=())


def page(*residents: Resident, **changes: object) -> Page:
    told = changes.pop("explanation", explanation())
    assert isinstance(told, Explanation)
    facts: dict[str, object] = {
        "taken_at": NOW, "asked": "127.0.0.1:62893", "endpoint": told.endpoint, "explanation": told,
        "residents": residents, "near": (), "candidates": (), "peers": (), "absences": (), "usual": (),
        "project_listeners": (), "next": ("homeport explain 127.0.0.1:62893",), "netns": 100,
        "namespaces": (Netns(100, None, 1, True), Netns(200, "web", 2, False)), "limits": (), "source": "netlink",
    }  # fmt: skip
    return Page(**{**facts, **changes})  # type: ignore[arg-type]


LINEAGE = Lineage(
    ancestors=(), cause=Cause.TERMINAL, summary="python3 ← bash ← sshd", confidence=Confidence.CERTAIN, evidence=(),
    broken=None,
)  # fmt: skip
PROVENANCE = Provenance(
    origin=Origin.ARGUMENT, statement="an argument of the command line", confidence=Confidence.CERTAIN, file=None,
    line=None, evidence=(Evidence("/proc/4711/cmdline", "python3 -m http.server 62893"),), searched=(),
)  # fmt: skip


def test_a_whole_page() -> None:
    client = Socket(
        Protocol.TCP, State.ESTABLISHED, ip_address("127.0.0.1"), 62893, ip_address("127.0.0.1"), 50112, 2, 2, 100, 0,
        0, 0, None, None,
    )  # fmt: skip
    curl = owner(process(99, name="curl", cmdline=("curl", "-s", "localhost:62893")), None)
    other = listener("::1", owner(process(4800, name="node", cmdline=("node", "server.js"))))
    mine = listener("127.0.0.1", owner())
    made = page(
        resident(mine, lineage=LINEAGE, provenance=PROVENANCE),
        near=(other,),
        candidates=(
            Candidate(address=ip_address("::1"), protocol=Protocol.TCP, listener=other,
                      evidence=Evidence("/etc/hosts:2", "bound to this very address")),
            Candidate(address=ip_address("127.0.0.1"), protocol=Protocol.TCP, listener=mine,
                      evidence=Evidence("/etc/hosts:1", "bound to this very address")),
        ),
        peers=(Peer(socket=client, owner=None, other_end=listener("127.0.0.1", curl, port=50112)),),
    )  # fmt: skip
    assert (
        "\n".join(lines(made, PLAIN))
        == """\
127.0.0.1:62893   loopback, this machine only (RFC 1122) · dynamic port, not registered · known for homeport

listens       tcp 127.0.0.1:62893 · this machine
owner         python3 -m http.server · pid 4711 · started 3 minutes ago
  command     python3 -m http.server 62893 --bind 127.0.0.1
  program     /usr/bin/python3.11
  folder      /home/ada/shop
  user        ada (1000)
  project     shop · branch main
why it runs   python3 ← bash ← sshd
why 62893     an argument of the command line
              /proc/4711/cmdline: python3 -m http.server 62893
scope         programs of this machine only
also there    tcp [::1]:62893  node server.js (pid 4800)
localhost     ::1        node server.js (pid 4800)          ← reached first  bound to this very address
              127.0.0.1  python3 -m http.server (pid 4711)                   bound to this very address
connected     127.0.0.1:50112  established  curl (pid 99)

next          homeport explain 127.0.0.1:62893"""
    )


def test_where_nothing_listens() -> None:
    made = page(
        absences=(
            Absence(
                reason="time-wait", statement="2 closed connections in TIME_WAIT", evidence=Evidence("kernel", "2")
            ),
        ),
        usual=(Evidence("history", "last seen here: node of project shop"),),
        project_listeners=(listener("127.0.0.1", owner(), port=3001),),
        limits=("one thing could not be seen",),
    )
    assert (
        "\n".join(lines(made, PLAIN))
        == """\
127.0.0.1:62893   loopback, this machine only (RFC 1122) · dynamic port, not registered · known for homeport

listens       nothing
why not       2 closed connections in TIME_WAIT
usually       last seen here: node of project shop
same project  tcp 127.0.0.1:3001  python3 -m http.server (pid 4711)

next          homeport explain 127.0.0.1:62893
note          one thing could not be seen"""
    )


def test_one_server_on_two_families_is_one_owner() -> None:
    made = page(resident(listener("0.0.0.0", owner())), resident(listener("::", owner())))
    text = "\n".join(lines(made, PLAIN))
    assert text.count("owner ") == 1
    assert "listens       tcp 0.0.0.0:62893 · every interface\n              tcp [::]:62893 · every interface" in text


def test_sockets_that_share_are_counted_and_so_are_processes() -> None:
    both = (owner(), owner(process(4712)), owner(process(4713)))
    made = page(*[resident(listener("127.0.0.1", *both, inode=n)) for n in range(4)])
    text = "\n".join(lines(made, PLAIN))
    assert "tcp 127.0.0.1:62893 · this machine · 4 sockets share it" in text
    assert "  shared with python3 -m http.server · pids 4712, 4713" in text


def test_an_owner_that_cannot_be_seen_and_another_namespace() -> None:
    text = "\n".join(lines(page(resident(listener("127.0.0.1", netns=200))), PLAIN))
    assert "owner         not known: held by a process of user ada" in text
    assert "tcp 127.0.0.1:62893 · this machine · in network namespace web" in text


def test_a_container_and_a_deleted_program() -> None:
    inside = Container("podman", "ab" * 32, "web", "nginx:1", None, (), ())
    lead = Published(
        Protocol.TCP, ip_address("127.0.0.1"), 62893, ip_address("10.88.0.5"), 80, inside, "conmon", (), ()
    )
    gone = owner(process(exe_deleted=True), container=inside)
    text = "\n".join(lines(page(resident(listener("127.0.0.1", gone), leads_to=(lead,))), PLAIN))
    assert "program     /usr/bin/python3.11 (deleted or replaced since it started)" in text
    assert "container   web · image nginx:1 · podman" in text
    assert "leads to      web · image nginx:1 · podman, its port 80 at 10.88.0.5, by conmon" in text


def test_published_ports_that_lead_to_a_container() -> None:
    inside = Container("podman", "ab" * 32, "web", None, None, (), ())
    ways = (
        Published(Protocol.TCP, ip_address("127.0.0.1"), 8081, None, 80, inside, "conmon", (), ()),
        Published(Protocol.TCP, None, 8082, None, 80, inside, "DNAT rule", ("from eth0",), ()),
    )
    text = lines(page(resident(listener("0.0.0.0", owner()), published=ways)), PLAIN)
    assert "published     127.0.0.1:8081 of this machine leads here, by conmon" in text
    assert "              port 8082 of every address of this machine leads here, by DNAT rule (only from eth0)" in text


def test_hostile_text_is_made_harmless() -> None:
    evil = "a\x1b]0;x\x07\n\u202eb"
    bad = owner(
        process(name=evil, cmdline=(evil, "x y", ""), exe=evil, cwd=evil, user=evil),
        Project(evil, evil, evil, evil, True, evil),
        Container(evil, evil, evil, evil, None, (), ()),
    )
    inside = Container(evil, evil, evil, evil, None, (), ())
    lead = Published(Protocol.TCP, None, 1, None, None, inside, evil, (evil,), ())
    made = page(
        resident(listener("127.0.0.1", bad), leads_to=(lead,), published=(lead,)),
        usual=(Evidence("history", evil),), limits=(evil,), next=(evil,),
        absences=(Absence(reason="x", statement=evil, evidence=Evidence("x", evil)),),
    )  # fmt: skip
    for columns in (None, 80):
        text = "".join(lines(made, PLAIN, columns))
        assert not set(text) & set("\x1b\x07\n\u202e")


def test_a_narrow_terminal_wraps_and_a_pipe_does_not() -> None:
    long = owner(process(cmdline=("python3", "-c", "x" * 5000)))
    made = page(resident(listener("127.0.0.1", long)))
    wrapped = lines(made, PLAIN, 60)
    assert max(map(len, wrapped)) <= 60
    assert any("more characters: --json has them" in line for line in wrapped)
    assert any("x" * 5000 in line for line in lines(made, PLAIN))


def test_many_peers_are_summed_up_on_a_terminal_only() -> None:
    peers = tuple(
        Peer(socket=listener("127.0.0.1").socket._replace(
            state=State.ESTABLISHED, peer_address=ip_address("10.0.0.1"), peer_port=1000 + n
        ), owner=None, other_end=None)
        for n in range(50)
    )  # fmt: skip
    made = page(resident(listener("127.0.0.1", owner())), peers=peers)
    assert any("and 42 more: --json has them" in line for line in lines(made, PLAIN, 100))
    assert "\n".join(lines(made, PLAIN)).count("10.0.0.1:") == 50


def test_colour_adds_nothing_but_colour() -> None:
    made = page(resident(listener("127.0.0.1", owner()), lineage=LINEAGE, provenance=PROVENANCE))
    painted = lines(made, Paint(Terminal()))
    assert [re.sub(r"\x1b\[[\d;]*m", "", line) for line in painted] == lines(made, PLAIN)
    assert any("\x1b[" in line for line in painted)
    assert not any("\x1b[m" in line for line in painted)


def test_an_address_alone_lists_what_answers_there() -> None:
    told = explanation()
    told = Explanation(
        asked="127.0.0.1", endpoint=Endpoint(None, ip_address("127.0.0.1"), 0), name=None, addresses=told.addresses,
        port=None, limits=(),
    )  # fmt: skip
    made = page(
        resident(listener("127.0.0.1", owner())), resident(listener("0.0.0.0", owner(), port=80)), explanation=told
    )
    text = lines(made, PLAIN)
    assert text[0].startswith("127.0.0.1   loopback")
    assert "listens       tcp 127.0.0.1:62893  python3 -m http.server (pid 4711)" in text


def test_ago() -> None:
    told = [ago(seconds) for seconds in (-5, 1, 119, 120, 7199, 7200, 172799, 172800)]
    assert told == [
        "0 seconds ago", "1 second ago", "119 seconds ago", "2 minutes ago", "119 minutes ago", "2 hours ago",
        "47 hours ago", "2 days ago",
    ]  # fmt: skip
