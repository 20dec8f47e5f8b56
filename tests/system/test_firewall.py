"""The rules of real namespaces."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from homeport.model.firewall import Action, Ruleset
from homeport.model.snapshot import Netns
from homeport.system import firewall
from homeport.system.namespaces import of_process

RULES = """
nft add table inet t '{ chain c { type filter hook input priority 0; policy drop; }; }'
iptables-nft -A INPUT -p tcp -m multiport --dports 80,81 -j ACCEPT
ip6tables-legacy -P INPUT DROP
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Netns]:
    script = f"set -e; ip link set lo up; {RULES} echo ready; exec sleep 1000"
    with subprocess.Popen(["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            yield Netns(of_process(running.pid), None, running.pid, False)
        finally:
            running.kill()


def test_all_three_kinds_of_rules_are_read(box: Netns) -> None:
    found = firewall.ruleset(box)
    assert found.complete
    assert found.limits == ()
    assert {(one.family, one.name, one.source) for one in found.tables} == {
        ("inet", "t", "nft list ruleset"),
        ("ip", "filter", "iptables-nft-save"),
        ("ip6", "filter", "ip6tables-legacy-save"),
    }
    (legacy,) = [one for one in found.tables if one.family == "ip6"]
    assert {one.name: one.policy for one in legacy.chains}["INPUT"] is Action.DROP
    assert [one.name for one in found.interfaces] == ["lo"]


def test_a_namespace_that_is_gone_is_a_limit() -> None:
    found = firewall.ruleset(Netns(1, "gone", None, False))
    assert not found.complete
    assert "network namespace gone" in found.limits[0]


def test_without_nft_or_with_another_program_of_that_name_nothing_is_claimed(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(text: bytes | None, wrong: str) -> Ruleset:
        monkeypatch.setattr(firewall, "output_of", lambda *_: (text, wrong))
        return firewall.ruleset()

    missing = other(None, "nft is not installed")
    assert (missing.complete, missing.limits[0]) == (False, "the firewall's rules were not read: nft is not installed")
    assert not other(b"no JSON", "").complete


def test_without_rights_it_is_said() -> None:
    script = """
import os, selectors, subprocess  # all that is imported later: the interpreter may be closed to others
from homeport.system import firewall
firewall.ruleset()
os.setgroups([]); os.setgid(65534); os.setuid(65534)
found = firewall.ruleset()
print(found.complete, len(found.limits))
"""
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("False"), done.stderr + done.stdout
