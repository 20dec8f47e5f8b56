from __future__ import annotations

from datetime import date
from ipaddress import ip_address

import pytest

from homeport.model.addresses import Protocol
from homeport.model.evidence import Confidence
from homeport.model.explanation import PortExplanation, PortRange
from homeport.model.owners import Owner, Process, Reason, Unattributed
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules.absence import Facts, absences
from homeport.rules.scope import scope

OWN, OTHER = 100, 200


def process(pid: int = 7, name: str = "node") -> Process:
    return Process(
        pid=pid, start_ticks=1, start_time=None, name=name, cmdline=(name, "server.js"), exe=None, exe_deleted=False,
        cwd=None, uid=0, user="root", ppid=1, session=1, terminal=0, state="S", cgroup=None,
    )  # fmt: skip


def socket(
    address: str = "127.0.0.1",
    state: State = State.LISTEN,
    *,
    protocol: Protocol = Protocol.TCP,
    netns: int = OWN,
    peer: tuple[str, int] | None = None,
    owned: bool = True,
) -> Listener:
    bound = ip_address(address)
    made = Socket(
        protocol, state, bound, 3000, ip_address(peer[0]) if peer else None, peer[1] if peer else None,
        42, 1, netns, 0, 0, 0, None, False,
    )  # fmt: skip
    owners = (Owner(process(), (3,), None, None, None, Confidence.CERTAIN, ()),) if owned else ()
    return Listener(made, scope(bound), owners, None if owned else Unattributed(Reason.TIME_WAIT, "TIME_WAIT", 0))


def explanation(**changes: object) -> PortExplanation:
    facts: dict[str, object] = {
        "port": 3000, "range": PortRange.USER, "services": (), "registry_date": date(2025, 1, 1), "habits": (),
        "ephemeral": (32768, 60999), "in_ephemeral": False, "reserved": False, "privileged": False,
        "unprivileged_start": 1024, "browser_refuses": False, "notes": (),
    }  # fmt: skip
    return PortExplanation(**{**facts, **changes})  # type: ignore[arg-type]


def said(*sockets: Listener, protocol: Protocol | None = Protocol.TCP, **changes: object) -> list[tuple[str, str]]:
    facts = Facts(
        protocol=protocol,
        addresses=(ip_address("127.0.0.1"),),
        port=3000,
        sockets=sockets,
        netns=OWN,
        namespaces={OWN: None, OTHER: "web"},
        explanation=explanation(**changes),
    )
    return [(one.reason, one.statement) for one in absences(facts)]


def test_nothing_at_all_is_said() -> None:
    assert said() == [("no-socket", "no socket of this machine that can be seen has port 3000")]


def test_settings_do_not_hide_that_there_is_nothing() -> None:
    assert [reason for reason, _ in said(reserved=True, privileged=True)] == ["no-socket", "reserved", "privileged"]


@pytest.mark.parametrize(
    ("found", "reason", "part"),
    [
        (socket("::1"), "other-family", "listening on [::1]:3000 only, not on 127.0.0.1: node server.js (pid 7)"),
        (socket("10.0.0.1"), "other-address", "listening on 10.0.0.1:3000 only"),
        (socket("0.0.0.0", State.BOUND, protocol=Protocol.UDP), "other-protocol", "udp only, not tcp: node"),
        (socket("0.0.0.0", netns=OTHER), "other-namespace", "in another network namespace web only, as 0.0.0.0:3000"),
        (socket(state=State.BOUND_INACTIVE), "bound-not-listening", "has bound 127.0.0.1:3000, but does not listen"),
        (socket(state=State.CLOSE), "bound-not-listening", "does not listen"),
        (socket(state=State.FIN_WAIT2, peer=("::1", 9)), "closing", "1 connection of it not closed to the end (1 fin"),
        (socket(state=State.ESTABLISHED, peer=("127.0.0.1", 5432)), "local-port", "127.0.0.1:3000 → 127.0.0.1:5432"),
    ],
)
def test_each_reason(found: Listener, reason: str, part: str) -> None:
    ((told, statement),) = said(found)
    assert told == reason
    assert part in statement


def test_remains_are_counted() -> None:
    waiting = socket(state=State.TIME_WAIT, peer=("127.0.0.1", 9), owned=False)
    ((reason, statement),) = said(waiting, waiting, waiting)
    assert reason == "time-wait"
    assert statement.startswith("3 closed connections in TIME_WAIT, for up to 60 s")


def test_a_connection_in_the_ephemeral_range_is_likely_an_outgoing_one() -> None:
    open_one = socket(state=State.ESTABLISHED, peer=("127.0.0.1", 5432))
    assert "likely an outgoing one" in said(open_one, ephemeral=(1024, 4999))[0][1]
    assert "likely" not in said(open_one, ephemeral=None)[0][1]


def test_without_a_protocol_both_are_asked() -> None:
    found = socket("::1", State.BOUND, protocol=Protocol.UDP)
    assert [reason for reason, _ in said(found, protocol=None)] == ["other-family"]


def test_crowds_are_summed_up() -> None:
    crowd = [socket(f"127.0.0.{n}") for n in range(2, 12)]
    told = said(*crowd)
    assert len(told) == 5
    assert told[-1][1] == "and 6 more listeners on other addresses"
