"""The text of `homeport reach`, and its exit codes."""

from __future__ import annotations

import io
import json
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from homeport.cli.reach import lines
from homeport.cli.text import Paint
from homeport.model.addresses import Protocol
from homeport.model.evidence import Evidence
from homeport.model.reach import Advice, Answer, Proof, ReachReport, Way

Homeport = Callable[..., "subprocess.CompletedProcess[str]"]
PLAIN = Paint(io.StringIO())


def way(connects: bool | None) -> Way:
    return Way(
        address=ip_address("192.0.2.2"), port=80, answer=Answer.YES if connects else Answer.NO, connects=connects,
        routed=False, leaves=False, why=(Evidence("nft\x1b[31m", "dropped by \x1b[2J"),), conditions=(),
    )  # fmt: skip


def report(*proofs: Proof) -> ReachReport:
    tip = Advice(kind="tunnel", text="ssh -N x", is_command=True, risk="none \x07")
    return ReachReport(
        asked=":80", taken_at=datetime.now(UTC), summary=("Nothing \x1b]0;x",), reaches=(), advice=(tip,),
        proofs=proofs, limits=("a limit",),
    )  # fmt: skip


def proof(expected: bool | None, seen: bool | None) -> Proof:
    return Proof(
        origin="here", protocol=Protocol.TCP, address=ip_address("192.0.2.2"), port=80, expected=way(expected),
        connected=seen, seen="connected" if seen else "refused",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "seen", "agrees"),
    [(True, True, True), (False, False, True), (True, False, False), (False, True, False), (None, True, None),
     (True, None, None)],
)  # fmt: skip
def test_agreement(expected: bool | None, seen: bool | None, agrees: bool | None) -> None:
    assert proof(expected, seen).agrees is agrees
    assert report(proof(expected, seen)).disagrees is (agrees is False)


def test_a_disagreement_is_told_with_what_was_computed_from() -> None:
    text = "\n".join(lines(report(proof(False, True), proof(True, True)), PLAIN, None))
    assert "DISAGREE in 1 of 2: believe what was seen" in text
    assert "dropped by \\x1b[2J (nft\\x1b[31m)" in text
    assert "agree in 1 of 1" in "\n".join(lines(report(proof(True, True)), PLAIN, None))


def test_what_was_not_tried_is_no_proof() -> None:
    text = "\n".join(lines(report(proof(True, None)), PLAIN, None))
    assert "nothing of it could be proved" in text
    assert "agree" not in text


def test_nothing_from_outside_reaches_the_terminal_raw() -> None:
    text = "\n".join(lines(report(proof(False, True)), PLAIN, 60))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "$ ssh -N x" in text
    assert "note: a limit" in text


def test_a_listener_and_none(homeport: Homeport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = homeport("reach", f"127.0.0.1:{port}")
        assert done.returncode == 0, done.stderr
        assert "always means the machine on which it is typed" in done.stdout
        assert f"ssh -N -L {port}:127.0.0.1:{port}" in done.stdout or "ssh -p" in done.stdout
        answer = json.loads(homeport("reach", f"127.0.0.1:{port}", "--json").stdout)
        assert (answer["schema"], answer["command"], answer["agrees"]) == ("homeport/1", "reach", None)
        (one,) = answer["reaches"]
        assert one["listener"]["port"] == port
        assert {each["kind"] for each in one["from"]} >= {"machine"}
    nothing = homeport("reach", f"127.0.0.1:{port}")
    assert (nothing.returncode, nothing.stdout) == (1, f"Nothing listens at 127.0.0.1:{port}: nobody can connect.\n")
    assert homeport("reach", "nonsense:70000").returncode == 2
