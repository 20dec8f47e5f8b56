"""Processes that cannot answer, on built cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.rules.verdicts.building import PORT, case, condition, container, listener, owner, process

from homeport.model.case import Case, Condition, Queue
from homeport.model.diagnosis import Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Process
from homeport.model.services import WIRE, Service
from homeport.rules.verdicts import judge
from homeport.rules.verdicts.kind import Finding

MASTER = process(10, "nginx")
WORKERS = process(11, "nginx", ppid=10), process(12, "nginx", ppid=10)
NODE = process(100)


def held(*conditions: Condition, answered: bool = False) -> Case:
    """A listener that is held by the processes of these conditions."""
    one = listener("127.0.0.1", PORT, *(each.process for each in conditions))
    return case([one], conditions=conditions, greeting=b"hello" if answered else b"")


def stopped(*some: Process) -> tuple[Condition, ...]:
    """nginx, of which these are stopped."""
    return tuple(condition(one, state="T" if one in some else "S") for one in (MASTER, *WORKERS))


def remedies(one: Finding) -> list[str]:
    return [each.text for each in one.remedies]


@pytest.mark.parametrize("letter", ["T", "t"])
def test_a_stopped_process(letter: str) -> None:
    found = judge(held(condition(NODE, state=letter)))
    assert found.verdict is Verdict.STOPPED
    assert remedies(found) == ["kill -CONT 100"]


def test_all_of_nginx() -> None:
    found = judge(held(*stopped(MASTER, *WORKERS)))
    assert (found.verdict, found.confidence) == (Verdict.STOPPED, Confidence.CERTAIN)
    assert remedies(found) == ["kill -CONT 10 11 12"]


def test_its_workers() -> None:
    found = judge(held(*stopped(*WORKERS)))
    assert (found.verdict, found.confidence) == (Verdict.STOPPED, Confidence.CERTAIN)
    assert remedies(found) == ["kill -CONT 11 12"]


def test_its_master() -> None:
    assert judge(held(*stopped(MASTER), answered=True)).verdict is Verdict.OK


def test_one_of_its_workers() -> None:
    assert judge(held(*stopped(WORKERS[0]), answered=True)).verdict is Verdict.OK
    found = judge(held(*stopped(WORKERS[0])))
    assert (found.verdict, found.confidence) == (Verdict.STOPPED, Confidence.LIKELY)


def test_a_server_whose_child_inherited_the_socket() -> None:
    child = process(101, "sleep", "1000", ppid=100)
    found = judge(held(condition(NODE, state="T"), condition(child)))
    assert (found.verdict, found.confidence) == (Verdict.STOPPED, Confidence.LIKELY)
    assert remedies(found) == ["kill -CONT 100"]


def test_who_ended_the_connection_was_not_stopped() -> None:
    one = replace(held(*stopped(WORKERS[0])), closed_early=True)
    assert judge(one).verdict is Verdict.CLOSED_EARLY


def test_one_of_those_that_share_a_port() -> None:
    other = process(200)
    some = listener("127.0.0.1", PORT, NODE, inode=1), listener("127.0.0.1", PORT, other, inode=2)
    one = case(some, conditions=(condition(NODE), condition(other, state="T")), greeting=b"hello")
    found = judge(one)
    assert found.verdict is Verdict.STOPPED
    assert remedies(found) == ["kill -CONT 200"]
    assert "of the 2 that share the port" in found.cause


def test_a_tracer_is_named() -> None:
    found = judge(held(condition(NODE, state="t", tracer=4242)))
    assert found.verdict is Verdict.STOPPED
    assert "4242" in found.cause
    assert "debugger" in remedies(found)[0]


def test_a_traced_process_that_runs() -> None:
    assert judge(held(condition(NODE, tracer=4242), answered=True)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("switch", "remedy"),
    [
        ("/sys/fs/cgroup/shop/cgroup.freeze", "echo 0 > /sys/fs/cgroup/shop/cgroup.freeze"),
        ("/sys/fs/cgroup/freezer/shop/freezer.state", "echo THAWED > /sys/fs/cgroup/freezer/shop/freezer.state"),
    ],
)
def test_a_frozen_group(switch: str, remedy: str) -> None:
    found = judge(held(condition(NODE, frozen=switch)))
    assert found.verdict is Verdict.STOPPED
    assert remedies(found) == [remedy]
    assert switch.rpartition("/")[0] in found.cause


def test_a_paused_container() -> None:
    one = listener("127.0.0.1", PORT, owner(NODE, container()))
    found = judge(case([one], conditions=(condition(NODE, frozen="/sys/fs/cgroup/x/cgroup.freeze"),)))
    assert remedies(found) == ["podman unpause web"]


# descriptors


def test_no_descriptor_is_left() -> None:
    found = judge(held(condition(NODE, descriptors=1024, limit=1024, hard_limit=524288)))
    assert found.verdict is Verdict.OUT_OF_DESCRIPTORS
    assert remedies(found)[0] == "prlimit --pid 100 --nofile=4096:"


def test_beyond_the_hard_limit_only_root_goes() -> None:
    found = judge(held(condition(NODE, descriptors=1024, limit=1024, hard_limit=1024)))
    assert remedies(found)[0] == "sudo prlimit --pid 100 --nofile=4096:4096"


def test_the_hard_limit_bounds_the_remedy() -> None:
    found = judge(held(condition(NODE, descriptors=1024, limit=1024, hard_limit=2048)))
    assert remedies(found)[0] == "prlimit --pid 100 --nofile=2048:"


def test_some_are_left_or_it_answers() -> None:
    assert judge(held(condition(NODE, descriptors=1023, limit=1024))).verdict is not Verdict.OUT_OF_DESCRIPTORS
    assert judge(held(condition(NODE, descriptors=1024, limit=1024), answered=True)).verdict is Verdict.OK
    assert judge(held(condition(NODE, descriptors=None, limit=1024))).verdict is not Verdict.OUT_OF_DESCRIPTORS


# the queue


@pytest.mark.parametrize(("waiting", "full"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_queue_takes_one_more_than_the_backlog(waiting: int, full: bool) -> None:
    assert Queue(waiting=waiting, backlog=1).full is full


def test_a_full_queue() -> None:
    one = listener("127.0.0.1", PORT, NODE, queue=(129, 128))
    found = judge(case([one], connect={"127.0.0.1": Failing.TIMED_OUT}, queue=Queue.of(one)))
    assert found.verdict is Verdict.BACKLOG_FULL
    assert "129 connections" in found.cause


def test_a_full_queue_that_has_room_again() -> None:
    one = listener("127.0.0.1", PORT, NODE, queue=(129, 128))
    assert judge(case([one], queue=Queue.of(one), greeting=b"hello")).verdict is Verdict.OK


def test_a_connection_that_nobody_accepts() -> None:
    waiting: dict[str, Any] = {"queue": Queue(waiting=2, backlog=128), "greeting": b""}
    one = listener("127.0.0.1", PORT, NODE)
    young, old = condition(NODE, age=1.0), condition(NODE)
    assert judge(case([one], conditions=(young,), **waiting)).verdict is Verdict.STARTING
    found = judge(case([one], conditions=(old,), **waiting))
    assert found.verdict is Verdict.NO_ANSWER
    assert "does not accept" in found.cause


def test_a_young_server_that_accepts_and_says_nothing_is_not_starting() -> None:
    one = listener("127.0.0.1", PORT, NODE)
    found = judge(
        case([one], conditions=(condition(NODE, age=1.0),), queue=Queue(waiting=0, backlog=128), greeting=b"")
    )
    assert found.verdict is Verdict.NO_ANSWER


def test_what_is_no_listening_socket_has_no_queue() -> None:
    assert Queue.of(listener("127.0.0.1", PORT, NODE, receive_queue=None)) is None


def test_what_the_owners_program_makes_likely_is_no_answer() -> None:
    guess = Service("http", "nginx", None, False, Confidence.POSSIBLE, (Evidence("/proc/100/exe", "nginx"),))
    proof = guess._replace(evidence=(Evidence(WIRE, "HTTP/1.1 200"), *guess.evidence))
    one = held(condition(NODE))
    assert judge(replace(one, service=guess)).verdict is Verdict.NO_ANSWER
    assert judge(replace(one, service=proof)).verdict is Verdict.OK
    frozen = held(condition(NODE, state="T"))
    assert judge(replace(frozen, service=guess)).verdict is Verdict.STOPPED
