"""Little of everything: descriptors, processes, room on the disk, a home. And nothing is left open."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from tests.weather.conftest import COMMAND, answer, row, run


@pytest.mark.parametrize("source", [(), ("--source", "netlink")])
@pytest.mark.parametrize("number", [5, 6, 8, 10, 12])
def test_few_descriptors(number: int, source: tuple[str, ...], port: int) -> None:
    command = ["sh", "-c", f'ulimit -n {number} && exec "$@"', "sh", *COMMAND, "ls", str(port), "--json", *source]
    document = answer(run(command))
    one = row(document, port)
    assert one["owners"] or (document["limits"] and one["unattributed"]["reason"] == "unknown")


def test_no_more_processes(nobody: list[str], port: int) -> None:
    """RLIMIT_NPROC binds ordinary users only. What needs a child or a thread does without."""
    who = nobody[: nobody.index("--") + 1]
    command = [*who, "prlimit", "--nproc=1", *nobody[len(who) :], "ls", "--json"]
    document = answer(run(command))
    assert row(document, port)["unattributed"]["reason"] == "other-user"


@pytest.mark.parametrize("source", ["bpf", "netlink", "psutil"])
@pytest.mark.parametrize("words", [(), ("--all",), ("--json",), ("--csv",)])
def test_no_descriptor_is_left_open(source: str, words: tuple[str, ...], port: int) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", *COMMAND[1:], "ls", str(port), "--source", source, *words]
    done = run(command)
    assert done.returncode == 0
    assert "Warning" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("kind", ["file", "read-only", "full", "somebody else's", "below a file", "a loop", "no home"])
def test_a_history_that_cannot_be_kept_harms_nothing(kind: str, tmp_path: Path, port: int) -> None:
    state = tmp_path / "odd"
    prefix: list[str] = []
    environment = {**os.environ, "XDG_STATE_HOME": str(state)}
    if kind in ("file", "below a file"):
        state.write_text("here")
        environment["XDG_STATE_HOME"] = str(state / "below" if kind == "below a file" else state)
    elif kind == "a loop":
        state.symlink_to(state)
    elif kind == "no home":
        environment = {key: text for key, text in os.environ.items() if key not in ("HOME", "XDG_STATE_HOME")}
    else:
        state.mkdir()
        if kind == "somebody else's":
            os.chown(state, 65534, 65534)
        option = {"read-only": "ro", "full": "nr_inodes=1"}.get(kind)
        if option:
            mount = f'mount -t tmpfs -o {option} none "$XDG_STATE_HOME" && exec "$@"'
            prefix = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh"]
    done = run([*prefix, *COMMAND, "ls", str(port)], env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(port) in done.stdout
    if kind == "somebody else's":
        assert list(state.iterdir()) == []


def test_what_is_remembered_is_the_users_own(tmp_path: Path, port: int) -> None:
    assert run([*COMMAND, "ls", str(port)]).returncode == 0
    folder = tmp_path / "state" / "homeport"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
