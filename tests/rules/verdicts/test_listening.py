"""What listens, on built cases."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from tests.rules.verdicts.building import (
    PORT,
    THERE,
    case,
    claim,
    container,
    listener,
    owner,
    process,
    project,
)  # fmt: skip

from homeport.model.addresses import Protocol
from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence, Evidence
from homeport.model.publishing import Published
from homeport.model.sockets import State
from homeport.rules.verdicts import judge
from homeport.rules.verdicts.kind import Finding

NODE = process(100)
OTHER = process(200, "python3", "-m", "http.server", cwd="/srv/other")


def verdict(one: Case) -> Verdict:
    return judge(one).verdict


def remedies(one: Finding) -> list[str]:
    return [each.text for each in one.remedies]


def test_nobody() -> None:
    found = judge(case())
    assert found.verdict is Verdict.NOTHING_LISTENS
    assert found.fault is Fault.SERVER
    assert found.confidence is Confidence.CERTAIN


def test_a_bound_socket_is_evidence_and_no_listener() -> None:
    found = judge(case([listener("127.0.0.1", PORT, NODE, state=State.BOUND_INACTIVE)]))
    assert found.verdict is Verdict.NOTHING_LISTENS
    assert any("has bound 127.0.0.1:3000, and does not listen" in one.text for one in found.evidence)


@pytest.mark.parametrize(
    ("bound", "asked", "expected"),
    [
        ("::1", "127.0.0.1", Verdict.OTHER_FAMILY),
        ("127.0.0.1", "::1", Verdict.OTHER_FAMILY),
        ("0.0.0.0", "::1", Verdict.OTHER_FAMILY),
        ("127.0.0.1", "127.0.0.2", Verdict.OTHER_ADDRESS),
        ("10.0.0.5", "127.0.0.1", Verdict.OTHER_ADDRESS),
        ("127.0.0.1", "10.0.0.5", Verdict.OTHER_ADDRESS),
        ("10.0.0.5", "::1", Verdict.OTHER_ADDRESS),
        ("::1", "10.0.0.5", Verdict.OTHER_ADDRESS),
    ],
)
def test_somewhere_else(bound: str, asked: str, expected: Verdict) -> None:
    found = judge(case([listener(bound, PORT, NODE)], asked=(asked,)))
    assert found.verdict is expected
    assert found.fault is Fault.CLIENT
    there = {"0.0.0.0": "127.0.0.1"}.get(bound, bound)
    shown = f"[{there}]" if ":" in there else there
    assert remedies(found)[0] == f"homeport check {shown}:3000"


def test_v6only_is_the_other_family() -> None:
    assert verdict(case([listener("::", PORT, NODE, v6only=True)])) is Verdict.OTHER_FAMILY
    assert verdict(case([listener("::", PORT, NODE)])) is not Verdict.OTHER_FAMILY


def test_the_remedy_keeps_the_url_without_its_query() -> None:
    asked = case([listener("::1", PORT, NODE)], scheme="https", path="/cart?a=1")
    assert remedies(judge(asked))[0] == "homeport check https://[::1]:3000/cart"


def test_a_device_is_named() -> None:
    found = judge(case([listener("0.0.0.0", PORT, NODE, interface=7, device="wg0")]))
    assert found.verdict is Verdict.OTHER_ADDRESS
    assert "wg0" in found.cause


def test_the_other_transport_protocol() -> None:
    datagrams = listener("127.0.0.1", PORT, NODE, protocol=Protocol.UDP)
    found = judge(case([datagrams]))
    assert found.verdict is Verdict.OTHER_PROTOCOL
    assert remedies(found) == ["homeport check :3000/udp"]
    assert verdict(case([listener("127.0.0.1", PORT, NODE)], protocol=Protocol.UDP)) is Verdict.OTHER_PROTOCOL


def test_another_namespace_by_name_pid_or_number() -> None:
    for one, word in (
        (listener("127.0.0.1", PORT, NODE, netns=THERE), "apart"),
        (listener("127.0.0.1", PORT, NODE, netns=77), "100"),
        (listener("127.0.0.1", PORT, netns=77), "77"),
    ):
        found = judge(case([one]))
        assert found.verdict is Verdict.OTHER_NAMESPACE
        assert remedies(found)[0] == f"homeport check 127.0.0.1:3000 --from {word}"


def test_a_namespace_that_may_not_be_read() -> None:
    found = judge(case([listener("127.0.0.1", PORT, netns=None)]))
    assert found.verdict is Verdict.OTHER_NAMESPACE
    assert remedies(found) == ["sudo homeport check 127.0.0.1:3000"]
    assert "None" not in found.cause


def published(name: str, outside: int) -> Published:
    return Published(
        protocol=Protocol.TCP, host_address=ip_address("127.0.0.1"), host_port=outside, target_address=None,
        target_port=PORT, container=container(name), via="conmon", conditions=(),
        evidence=(Evidence("podman", "a port"),),
    )  # fmt: skip


def test_a_container_that_is_not_published() -> None:
    one = listener("0.0.0.0", PORT, owner(NODE, container()), netns=THERE)
    found = judge(case([one]))
    assert found.verdict is Verdict.NOT_PUBLISHED
    assert "-p 127.0.0.1:3000:3000" in remedies(found)[0]
    assert "homeport check 127.0.0.1:3000 --from web" in remedies(found)
    assert not [text for text in remedies(found) if "0.0.0.0" in text]


def test_a_container_that_listens_on_its_own_loopback() -> None:
    found = judge(case([listener("127.0.0.1", PORT, owner(NODE, container()), netns=THERE)]))
    assert found.verdict is Verdict.NOT_PUBLISHED
    assert remedies(found)[0] == "inside of web: listen on 0.0.0.0"


def test_a_published_container_comes_before_one_that_is_not() -> None:
    some = [
        listener("0.0.0.0", PORT, owner(process(1), container("db")), netns=77),
        listener("0.0.0.0", PORT, owner(process(2), container("web")), netns=THERE),
    ]
    found = judge(case(some, published=(published("web", 3001),)))
    assert found.verdict is Verdict.OTHER_PORT
    assert remedies(found) == ["homeport check 127.0.0.1:3001"]


def led(one: Case, *behind: Any) -> Finding:
    """A port that is published as itself by an engine's process, with this behind it."""
    return judge(replace(one, published=(published("web", PORT),), behind=behind))


def test_a_published_port_behind_which_nobody_is() -> None:
    one = case([listener("127.0.0.1", PORT, process(9, "conmon"))], connect={"127.0.0.1": Failing.REFUSED})
    found = led(one)
    assert found.verdict is Verdict.NOTHING_LISTENS
    assert "container web" in found.cause
    assert remedies(found)[0] == "podman logs web"
    inside = listener("127.0.0.1", PORT, owner(NODE, container()), netns=THERE)
    assert led(one, inside).verdict is Verdict.OTHER_ADDRESS
    everywhere = listener("0.0.0.0", PORT, owner(NODE, container()), netns=THERE)
    assert led(one, everywhere).verdict is Verdict.UNKNOWN
    assert led(one, inside, everywhere).verdict is Verdict.UNKNOWN


def test_the_project_has_another_port() -> None:
    mine = listener("127.0.0.1", 3001, owner(NODE, project=project()))
    found = judge(case(relatives=(mine,)))
    assert found.verdict is Verdict.OTHER_PORT
    assert found.confidence is Confidence.LIKELY
    assert remedies(found) == ["homeport check 127.0.0.1:3001"]


def test_a_program_that_was_told_the_port_has_another() -> None:
    told = claim(NODE, age=1.0, listening=(listener("127.0.0.1", 3001, NODE),))
    found = judge(case(claims=(told,)))
    assert found.verdict is Verdict.OTHER_PORT
    assert found.fault is Fault.SERVER


def test_starting_is_of_the_young() -> None:
    assert verdict(case(claims=(claim(NODE, age=2.0),))) is Verdict.STARTING
    assert verdict(case(claims=(claim(NODE, age=2000.0),))) is Verdict.NOTHING_LISTENS
    assert verdict(case(claims=(claim(NODE, age=None),))) is Verdict.NOTHING_LISTENS


def test_starting_may_be_what_listens_where_one_may_not_look() -> None:
    hidden = listener("127.0.0.1", PORT, netns=None)
    assert verdict(case([hidden], claims=(claim(NODE, age=2.0),))) is Verdict.OTHER_NAMESPACE


def test_a_loop_comes_before_starting() -> None:
    found = judge(case(claims=(claim(NODE, age=0.2, restarts=3),)))
    assert found.verdict is Verdict.CRASH_LOOP
    assert "3 times" in found.cause
    assert any("node server.js" in text and "/srv/shop" in text for text in remedies(found))


def test_what_listens_is_no_loop() -> None:
    one = case([listener("127.0.0.1", PORT, NODE)], claims=(claim(NODE, restarts=3),), greeting=b"")
    assert verdict(one) is not Verdict.CRASH_LOOP


def test_what_listens_for_a_moment_is_a_loop() -> None:
    for facts in ({"greeting": b"", "closed_early": True}, {"greeting": None}):
        found = judge(case([listener("127.0.0.1", PORT, NODE)], claims=(claim(NODE, restarts=3),), **facts))
        assert found.verdict is Verdict.CRASH_LOOP
        assert found.cause.endswith("soon after it began to listen")


# shadowed


def answered(one: Case) -> Case:
    return replace(one, greeting=b"hello\n")


def shadow(*some: Any, **facts: Any) -> Finding:
    return judge(answered(case(some, **facts)))


def test_the_more_specific_one_shadows() -> None:
    found = shadow(listener("127.0.0.1", PORT, NODE), listener("0.0.0.0", PORT, OTHER))
    assert found.verdict is Verdict.SHADOWED
    assert found.fault is Fault.MACHINE
    assert "pid 100" in found.cause.split("though")[0]
    assert found.confidence is Confidence.LIKELY


def test_it_is_certain_where_the_callers_own_is_shadowed() -> None:
    mine = listener("0.0.0.0", PORT, owner(OTHER, project=project("/srv/other")))
    found = shadow(listener("127.0.0.1", PORT, NODE), mine, callers_project="/srv/other")
    assert (found.verdict, found.confidence) == (Verdict.SHADOWED, Confidence.CERTAIN)


def test_the_callers_own_shadows_nobody() -> None:
    mine = listener("127.0.0.1", PORT, owner(NODE, project=project()))
    assert shadow(mine, listener("0.0.0.0", PORT, OTHER), callers_project="/srv/shop").verdict is Verdict.OK


@pytest.mark.parametrize(
    "other",
    [
        process(100),  # the same
        process(200, ppid=100),  # its child
        process(200),  # the same command line, executable and folder
    ],
)
def test_kin_shadow_nobody(other: Any) -> None:
    assert shadow(listener("127.0.0.1", PORT, NODE), listener("0.0.0.0", PORT, other)).verdict is Verdict.OK


def test_the_first_family_shadows() -> None:
    some = listener("::1", PORT, NODE), listener("127.0.0.1", PORT, OTHER)
    found = shadow(*some, asked=("::1", "127.0.0.1"), name="localhost")
    assert found.verdict is Verdict.SHADOWED
    assert remedies(found)[0] == "homeport check 127.0.0.1:3000"


def test_those_that_share_a_port_are_told_so() -> None:
    some = listener("127.0.0.1", PORT, NODE, inode=1), listener("127.0.0.1", PORT, OTHER, inode=2)
    assert "SO_REUSEPORT" in shadow(*some).cause


def test_a_socket_of_another_namespace_shadows_nobody() -> None:
    other = listener("0.0.0.0", PORT, OTHER, netns=THERE)
    assert shadow(listener("127.0.0.1", PORT, NODE), other).verdict is Verdict.OK


def test_a_unix_socket_alone() -> None:
    young = claim(process(100, "postgres", "-p", "3000"), age=1.0)
    found = judge(replace(case(), unix_sockets=("/run/postgresql/.s.PGSQL.3000",), claims=(young,)))
    assert (found.verdict, found.confidence) == (Verdict.NOTHING_LISTENS, Confidence.LIKELY)
    assert remedies(found)[1] == "psql -h /run/postgresql -p 3000"
    other = judge(replace(case(), unix_sockets=("/run/web-3000.sock",)))
    assert "/run/web-3000.sock" in other.cause
    assert not any("psql" in one for one in remedies(other))


def test_a_unix_socket_beside_a_listener_is_no_matter() -> None:
    one = case([listener("127.0.0.2", PORT, NODE)])
    assert verdict(replace(one, unix_sockets=("/run/web-3000.sock",))) is Verdict.OTHER_ADDRESS


def test_the_same_port_of_another_protocol_is_no_other_port() -> None:
    there = listener("127.0.0.1", PORT, NODE, netns=THERE)
    one = case([there], protocol=Protocol.UDP, claims=(claim(NODE, listening=(there,)),))
    assert verdict(one) is Verdict.NOTHING_LISTENS


def test_a_port_that_is_almost_the_asked_one_is_named() -> None:
    one = replace(case(), near=(listener("127.0.0.1", PORT + 1, NODE),))
    found = judge(one)
    assert found.verdict is Verdict.NOTHING_LISTENS
    assert remedies(found)[1] == f"homeport check 127.0.0.1:{PORT + 1}"
