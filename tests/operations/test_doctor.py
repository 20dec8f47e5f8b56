"""What homeport says of itself on this machine, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeport.operations import doctor
from homeport.operations.documents.doctor import document
from homeport.system.sources import SOURCES

AS_NOBODY = """
import json, os, sys
from homeport.operations import doctor
from homeport.operations.documents.doctor import document
document(doctor.examine())  # everything is imported now: nobody may not be able to read this checkout
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
json.dump(document(doctor.examine()), sys.stdout)
"""


@pytest.fixture
def namespace() -> Iterator[int]:
    """The inode of another network namespace with a process inside."""
    process = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    own = os.stat("/proc/self/ns/net").st_ino
    end = time.monotonic() + 30
    while (inode := os.stat(f"/proc/{process.pid}/ns/net").st_ino) == own:
        assert time.monotonic() < end
        time.sleep(0.01)
    yield inode
    process.kill()
    process.wait()


def test_it_names_every_source_and_the_one_that_is_taken() -> None:
    health = doctor.examine()
    assert [one.name for one in health.sources] == [one.name for one in SOURCES]
    working = [one.name for one in health.sources if one.reason is None]
    assert health.chosen in working
    assert {"netlink", "psutil"} <= set(working)


def test_what_it_says_of_the_kernel_is_so() -> None:
    health = doctor.examine()
    assert health.kernel == os.uname().release
    assert health.btf == Path("/sys/kernel/btf/vmlinux").exists()
    assert health.uid == os.geteuid()
    mask = int(
        next(line for line in Path("/proc/self/status").read_text().splitlines() if "CapEff" in line).split()[1], 16
    )
    assert [one.held for one in health.rights] == [bool(mask >> number & 1) for number, _, _ in doctor._RIGHTS]


def test_it_enters_the_namespaces_that_it_may(namespace: int) -> None:
    found = {one.netns.inode: one for one in doctor.examine().namespaces}
    assert found[namespace].reason is None
    assert [one.netns.inode for one in found.values() if one.netns.own] == [os.stat("/proc/self/ns/net").st_ino]


def test_looking_leaves_the_caller_in_its_own_namespace(namespace: int) -> None:
    before = os.stat("/proc/thread-self/ns/net").st_ino
    doctor.examine()
    assert os.stat("/proc/thread-self/ns/net").st_ino == before != namespace


def test_an_ordinary_user_is_told_what_is_missing(namespace: int) -> None:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    assert facts["uid"] == 65534
    assert facts["ok"]
    assert not any(one["held"] for one in facts["rights"])
    (bpf,) = (one for one in facts["sources"] if one["name"] == "bpf")
    assert not bpf["ok"] and bpf["reason"]
    others = [one for one in facts["namespaces"] if not one["netns"]["own"]]
    assert others and all(one["reason"] for one in others)


def test_the_document_is_json_and_says_what_is_well() -> None:
    facts = json.loads(json.dumps(document(doctor.examine())))
    assert facts["ok"] is True
    assert all(one["ok"] == (one["reason"] is None) for kind in ("sources", "namespaces") for one in facts[kind])
    assert {"inode", "name", "pid", "own"} == set(facts["namespaces"][0]["netns"])


def test_the_iterators_are_kept_and_taken_away() -> None:
    steps = [[], ["--pin"], [], ["--unpin"], []]
    commands = [" ".join([sys.executable, "-P", "-m", "homeport", "doctor", "--json", *words]) for words in steps]
    script = "mount -t bpf bpf /sys/fs/bpf && " + " && ".join(commands)
    # A mount namespace of its own, so that whatever this machine keeps in its BPF file system is left alone.
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["pinned"] for line in done.stdout.splitlines()] == [False, True, True, False, False]
