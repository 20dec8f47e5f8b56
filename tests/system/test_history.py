from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest

from homeport.model.addresses import Protocol, Scope
from homeport.model.evidence import Confidence
from homeport.model.owners import Owner, Process
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules.history import visits
from homeport.system import history


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOMEPORT_NO_HISTORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def file_in(home: Path) -> Path:
    return home / ".local/state/homeport/history"


def listener(port: int = 3000, started: int = 1_700_000_000, name: str = "node") -> Listener:
    process = Process(
        pid=7, start_ticks=70, start_time=datetime.fromtimestamp(started, UTC), name=name,
        cmdline=(name, "--token=s3cret"), exe=None, exe_deleted=False, cwd="/", uid=0, user="root", ppid=1, session=1,
        terminal=0, state="S", cgroup=None,
    )  # fmt: skip
    made = Socket(
        Protocol.TCP, State.LISTEN, ip_address("127.0.0.1"), port, None, None, 1, 2,
        os.stat("/proc/self/ns/net").st_ino, 0, 0, 0, None, None,
    )  # fmt: skip
    return Listener(made, Scope.MACHINE, (Owner(process, (3,), None, None, None, Confidence.CERTAIN, ()),), None)


def test_what_is_recorded_is_recalled_and_is_private(home: Path) -> None:
    history.record([listener()])
    (visit,) = visits(history.recall(), Protocol.TCP, 3000)
    assert (visit.program, visit.starts) == ("node", 1)
    assert file_in(home).stat().st_mode & 0o777 == 0o600
    assert file_in(home).parent.stat().st_mode & 0o777 == 0o700
    assert "s3cret" not in file_in(home).read_text()


def test_nothing_is_written_when_nothing_is_new(home: Path) -> None:
    history.record([listener()])
    before = file_in(home).stat()
    history.record([listener()])
    assert file_in(home).stat().st_ino == before.st_ino
    history.record([listener(started=1_700_000_999)])
    assert visits(history.recall(), Protocol.TCP, 3000)[0].starts == 2


def test_an_own_state_home_is_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    history.record([listener()])
    assert (home / "state/homeport/history").exists()
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # to be ignored, says the XDG specification
    history.record([listener()])
    assert file_in(home).exists()


def test_it_can_be_turned_off(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_NO_HISTORY", "1")
    history.record([listener()])
    assert not file_in(home).exists()
    monkeypatch.delenv("HOMEPORT_NO_HISTORY")
    config = home / ".config/homeport/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("history = false\n")
    history.record([listener()])
    assert not file_in(home).exists()
    config.write_text("history = [\n")
    history.record([listener()])
    assert not file_in(home).exists()
    config.write_text("history = true\n")
    history.record([listener()])
    assert file_in(home).exists()
    config.write_text("history = false\n")
    assert history.recall() == {}


def test_no_home_and_crowds_are_skipped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history.record([listener()] * 1001)
    assert not file_in(home).exists()
    monkeypatch.delenv("HOME")
    history.record([listener()])
    assert history.recall() == {}


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 1000, b"homeport-history 1\ntcp\t3000\n", b"x" * (5 << 20)])
def test_nonsense_is_ignored_and_replaced(home: Path, content: bytes) -> None:
    file_in(home).parent.mkdir(parents=True, mode=0o755)
    file_in(home).write_bytes(content)
    assert visits(history.recall(), Protocol.TCP, 3000) == []
    history.record([listener()])
    assert len(visits(history.recall(), Protocol.TCP, 3000)) == 1
    assert file_in(home).parent.stat().st_mode & 0o777 == 0o700


def test_links_and_pipes_are_neither_read_nor_followed(home: Path) -> None:
    folder = file_in(home).parent
    folder.mkdir(parents=True)
    precious = home / "precious"
    precious.write_text("mine")
    for name in ("history", "history.new", "history.lock"):
        (folder / name).symlink_to(precious)
    history.record([listener()])
    assert precious.read_text() == "mine"
    for name in ("history", "history.new", "history.lock"):
        (folder / name).unlink()
    os.mkfifo(folder / "history")
    assert history.recall() == {}
    history.record([listener()])
    assert len(visits(history.recall(), Protocol.TCP, 3000)) == 1


def test_a_file_in_the_way_of_the_folder_fails_nothing(home: Path) -> None:
    (home / ".local").write_text("no folder")
    history.record([listener()])
    assert history.recall() == {}


def test_a_writer_at_work_is_not_waited_for(home: Path) -> None:
    history.record([listener()])
    with (file_in(home).parent / "history.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        history.record([listener(port=4000)])
        assert visits(history.recall(), Protocol.TCP, 4000) == []
    history.record([listener(port=4000)])
    assert len(visits(history.recall(), Protocol.TCP, 4000)) == 1


def test_names_that_are_no_text_fail_nothing(home: Path) -> None:
    history.record([listener(name="a\udcff\tb")])
    assert visits(history.recall(), Protocol.TCP, 3000)[0].program == "a\udcff\tb"
    history.record([listener(name="\ud800")])
    assert len(visits(history.recall(), Protocol.TCP, 3000)) == 1


def test_the_home_of_somebody_else_is_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a `sudo` that kept HOME."""
    caller = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: caller + 1)
    history.record([listener()])
    assert list(home.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_link_of_somebody_else_leads_nowhere(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """He could have root write, and shut, any folder."""
    precious = tmp_path_factory.mktemp("precious")
    precious.chmod(0o755)
    state = home / ".local" / "state"
    state.mkdir(parents=True)
    (state / "homeport").symlink_to(precious)
    for one in (home, state.parent, state, state / "homeport"):
        os.lchown(one, 4242, 4242)
    history.record([listener()])
    assert (list(precious.iterdir()), precious.stat().st_mode & 0o777) == ([], 0o755)
    (state / "homeport").unlink()
    (state / "homeport").mkdir()
    file_in(home).write_text("what he would have root believe")
    os.chown(file_in(home), 4242, 4242)
    assert (history.recall(), list((state / "homeport").iterdir())) == ({}, [file_in(home)])


def test_a_full_disk_fails_nothing(home: Path) -> None:
    """RLIMIT_FSIZE 0 makes every write fail as a full disk does; the old file stays."""
    history.record([listener()])
    before = file_in(home).read_bytes()
    script = (
        "import resource, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "import importlib.util\n"
        "spec = importlib.util.spec_from_file_location('tests_history', sys.argv[2])\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "module.history.record([module.listener(port=5000)])\n"
    )
    subprocess.run([sys.executable, "-c", script, str(home), __file__], check=True, timeout=60)
    assert file_in(home).read_bytes() == before
    assert sorted(path.name for path in file_in(home).parent.iterdir()) == ["history", "history.lock"]
