"""What may not be seen: ordinary users, hidepid, namespaces, no /proc. Rows stay, and the reason is said."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.weather.conftest import COMMAND, SERVER, answer, row, run


def mounted(mount: str, command: list[str]) -> list[str]:
    """A command in a mount namespace of its own, after a mount."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mount} && exec "$@"', "sh", *command]


def test_an_ordinary_user_keeps_every_row(nobody: list[str], port: int) -> None:
    seen = {
        (one["protocol"], one["address"], one["port"])
        for one in answer(run([*COMMAND, "--json", str(port)]))["listeners"]
    }
    document = answer(run([*nobody, "--json"]))
    assert seen <= {(one["protocol"], one["address"], one["port"]) for one in document["listeners"]}
    one = row(document, port)
    assert one["owners"] == []
    assert one["unattributed"]["reason"] == "other-user"
    assert "uid 0 (root)" in one["unattributed"]["detail"]
    assert [limit for limit in document["limits"] if "run with sudo to name every owner" in limit]


def test_every_limit_is_said_once_in_a_line(nobody: list[str], port: int) -> None:
    for words in ([], ["-q"], ["--csv"]):
        done = run([*nobody, "ls", str(port), *words])
        notes = done.stderr.splitlines()
        assert notes
        assert all(note.startswith("note: ") for note in notes)
        assert len(set(notes)) == len(notes)


def test_no_pid_is_no_answer_to_quiet(nobody: list[str], port: int) -> None:
    done = run([*nobody, "ls", str(port), "-q"])
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize("option", ["hidepid=2", "hidepid=4"])
def test_hidden_processes(option: str, nobody: list[str], port: int) -> None:
    document = answer(run(mounted(f"mount -t proc -o {option} proc /proc", [*nobody, "ls", "--json", str(port)])))
    assert row(document, port)["unattributed"]["reason"] == "other-user"
    assert [limit for limit in document["limits"] if "hidepid" in limit]


def test_root_sees_through_hidepid(port: int) -> None:
    document = answer(run(mounted("mount -t proc -o hidepid=2 proc /proc", [*COMMAND, "ls", "--json", str(port)])))
    assert row(document, port)["owners"]
    assert document["limits"] == []


def test_no_proc(port: int) -> None:
    document = answer(run(mounted("mount -t tmpfs none /proc", [*COMMAND, "ls", "--json"])))
    assert document["source"] == "netlink"
    one = row(document, port)
    assert one["uid"] == 0
    assert one["unattributed"]["detail"] == "made by uid 0 (root): without /proc no process can be named"
    assert [limit for limit in document["limits"] if limit.startswith("/proc is not mounted")]


@pytest.mark.parametrize(
    "words",
    [
        "unshare --fork --pid --mount-proc",
        "unshare --fork --pid",
        "unshare --user --map-root-user --fork --pid --mount-proc",
    ],
)
def test_a_pid_namespace_hides_processes(words: str, port: int) -> None:
    document = answer(run([*shlex.split(words), *COMMAND, "ls", "--json", str(port)]))
    one = row(document, port)
    assert one["owners"] == []
    assert one["unattributed"]["reason"] == "other-namespace"
    assert "sudo" not in one["unattributed"]["detail"]
    assert [limit for limit in document["limits"] if "PID namespace" in limit]


def test_a_user_namespace_gives_no_rights(port: int) -> None:
    document = answer(run(["unshare", "--user", "--map-root-user", *COMMAND, "ls", "--json", str(port)]))
    assert document["source"] == "netlink"
    one = row(document, port)
    assert one["unattributed"]["reason"] == "unknown"
    assert "sudo" not in one["unattributed"]["detail"]
    assert [limit for limit in document["limits"] if "may not be read" in limit]


def test_a_namespace_with_nothing_in_it(port: int) -> None:
    done = run(["unshare", "--user", "--map-root-user", "--net", "--fork", "--pid", "--mount-proc", *COMMAND, "ls"])
    assert (done.returncode, done.stdout) == (1, "nothing listens here\n")
    assert "PID namespace" in done.stderr


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, int]]:
    """A network namespace with a listener of root in it; beside it there is one without any process."""
    name = f"hp-weather-{os.getpid()}"
    with ExitStack() as stack:
        for one in (name, f"{name}-empty"):
            subprocess.run(["ip", "netns", "add", one], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "del", one], check=True)
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        command = ["ip", "netns", "exec", name, sys.executable, "-c", SERVER]
        server = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        stack.callback(server.kill)
        assert server.stdout is not None
        yield name, int(server.stdout.readline())


def test_namespaces_that_cannot_be_entered(nobody: list[str], elsewhere: tuple[str, int]) -> None:
    name, port = elsewhere
    done = run([*nobody, "ls", "--json"])
    document = answer(done)
    own = os.stat("/proc/self/ns/net").st_ino
    assert [one for one in document["listeners"] if one["port"] == port and one["netns"] != own]
    (limit,) = [limit for limit in document["limits"] if "cannot be entered: " in limit]
    assert limit.startswith("network namespace")
    assert f"{name}-empty" in limit or " more cannot be entered: " in limit


def test_a_namespace_by_its_name(elsewhere: tuple[str, int]) -> None:
    name, port = elsewhere
    document = answer(run([*COMMAND, "ls", "--json", "--netns", name]))
    assert [one["port"] for one in document["listeners"]] == [port]
