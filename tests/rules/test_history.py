from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from homeport.model.addresses import Protocol, Scope
from homeport.model.evidence import Confidence
from homeport.model.owners import Owner, Process, Project
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules import history
from homeport.rules.history import HEADER, MAX_CHARACTERS, MAX_ENTRIES, Sighting, dump, parse, updated, usual, visits

DAY = 86400
NOW = 1_700_000_000


def sighting(port: int = 3000, program: str = "node", started: int = NOW, **more: str | None) -> Sighting:
    return Sighting(
        Protocol.TCP, port, program, more.get("project", "shop"), more.get("root", "/home/ada/shop"), started
    )


def after(found: dict[str, str] | None) -> dict[str, str]:
    assert found is not None
    return parse(dump(found))


def test_a_first_sighting_is_remembered() -> None:
    (visit,) = visits(after(updated({}, [sighting()], NOW)), Protocol.TCP, 3000)
    assert visit == history.Visit("node", "shop", "/home/ada/shop", NOW, NOW, 1, NOW)


def test_other_ports_and_protocols_are_apart() -> None:
    kept = after(updated({}, [sighting(300), sighting(3000), sighting(30000)], NOW))
    assert len(visits(kept, Protocol.TCP, 300)) == 1
    assert visits(kept, Protocol.UDP, 300) == []
    assert visits(kept, Protocol.TCP, 3) == []


def test_the_same_again_within_the_hour_is_nothing_new() -> None:
    kept = after(updated({}, [sighting()], NOW))
    assert updated(kept, [sighting()], NOW + 3599) is None
    assert updated(kept, [sighting(started=NOW + 2)], NOW + 3599) is None  # the clock was set, the process is the same
    assert updated(kept, [sighting()], NOW - DAY) is None
    (visit,) = visits(after(updated(kept, [sighting()], NOW + 3600)), Protocol.TCP, 3000)
    assert (visit.first_seen, visit.last_seen, visit.starts) == (NOW, NOW + 3600, 1)


def test_a_new_start_is_counted() -> None:
    kept = after(updated({}, [sighting()], NOW))
    (visit,) = visits(after(updated(kept, [sighting(started=NOW + 60)], NOW + 61)), Protocol.TCP, 3000)
    assert (visit.starts, visit.started, visit.last_seen) == (2, NOW + 60, NOW + 61)


def test_several_processes_of_one_program_count_once() -> None:
    both = [sighting(started=NOW), sighting(started=NOW + 60)]
    kept = after(updated({}, both, NOW + 61))
    assert updated(kept, both[::-1], NOW + 62) is None


def test_usual_says_who_was_last_and_who_was_more_often() -> None:
    kept: dict[str, str] = {}
    for day in range(3):
        kept = after(updated(kept, [sighting(started=NOW + day * DAY)], NOW + day * DAY))
    kept = after(updated(kept, [sighting(program="nginx", project=None, root=None, started=1)], NOW + 9 * DAY))
    last, often = usual(visits(kept, Protocol.TCP, 3000), Protocol.TCP)
    assert last.text.startswith("last seen here: nginx, 2023-11-")
    assert often.text.startswith("more often: node of project shop (/home/ada/shop), 3 starts since 2023-11-1")
    assert usual([], Protocol.TCP) == ()


def test_the_oldest_go_first() -> None:
    seen = [(sighting(port), NOW + port) for port in range(1, MAX_ENTRIES + 50)]
    kept: dict[str, str] = {}
    for one, when in seen:
        kept |= updated({}, [one], when) or {}
    shorter = parse(dump(kept))
    assert len(shorter) == MAX_ENTRIES
    assert visits(shorter, Protocol.TCP, 1) == []
    assert visits(shorter, Protocol.TCP, MAX_ENTRIES + 49) != []


def test_the_text_is_bounded() -> None:
    kept: dict[str, str] = {}
    for port in range(1, 500):
        kept |= updated({}, [sighting(port, root="/" + "x" * 4000)], NOW) or {}
    assert len(dump(kept)) <= MAX_CHARACTERS
    assert updated({}, [sighting(root="/" + "x" * 5000)], NOW) is None


texts = st.text(st.characters(codec=None), max_size=30)


@given(texts.filter(bool), st.none() | texts.filter(bool), st.none() | texts.filter(bool))
def test_names_come_back_as_they_were(program: str, project: str | None, root: str | None) -> None:
    one = Sighting(Protocol.UDP, 53, program, project, root, NOW)
    (visit,) = visits(after(updated({}, [one], NOW)), Protocol.UDP, 53)
    assert (visit.program, visit.project, visit.root) == (program, project, root)


@given(st.text(st.sampled_from("tcp\t\n\r 0139-٣%A"), max_size=200) | texts)
def test_hostile_text_is_left_out_and_never_fails(body: str) -> None:
    kept = parse(f"{HEADER}\n{body}")
    for line in kept:
        fields = line.split("\t")
        if len(fields) > 1 and fields[1].isascii() and fields[1].isdigit():
            usual(visits(kept, Protocol.TCP, int(fields[1])), Protocol.TCP)
    again = parse(dump(updated(kept, [sighting()], NOW) or {}))
    assert len(visits(again, Protocol.TCP, 3000)) >= 1
    assert parse(body) == {} or body.startswith(HEADER)


def test_a_time_that_is_none_is_said_so() -> None:
    line = f"tcp\t80\tnginx\t\t\t{1 << 40}\t{1 << 40}\t1\t0"
    (said,) = usual(visits(parse(f"{HEADER}\n{line}\n"), Protocol.TCP, 80), Protocol.TCP)
    assert said.text.startswith("last seen here: nginx, ")


def test_what_is_seen_of_listeners() -> None:
    process = Process(
        pid=7, start_ticks=70, start_time=datetime.fromtimestamp(NOW, UTC), name="MainThread",
        cmdline=("node", "--token=secret"), exe="/usr/bin/node", exe_deleted=False, cwd="/", uid=0, user="root", ppid=1,
        session=1, terminal=0, state="S", cgroup=None,
    )  # fmt: skip
    project = Project("shop", "/home/ada/shop", "package.json", "main", False, None)
    owner = Owner(process, (3,), None, None, project, Confidence.CERTAIN, ())
    made = Socket(
        Protocol.TCP, State.LISTEN, ip_address("::1"), 3000, None, None, 1, 2, 100, 0, 0, 0, None, False
    )  # fmt: skip
    mine = Listener(made, Scope.MACHINE, (owner,), None)
    elsewhere = mine._replace(socket=made._replace(netns=200))
    connection = mine._replace(socket=made._replace(state=State.ESTABLISHED))
    nobody = mine._replace(owners=())
    found = history.sightings([mine, elsewhere, connection, nobody], 100)
    assert found == [Sighting(Protocol.TCP, 3000, "node", "shop", "/home/ada/shop", NOW)]
