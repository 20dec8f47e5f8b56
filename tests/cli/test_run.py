"""What becomes of answers that cannot be written and of errors: never a traceback, always a fitting exit code."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from homeport.cli import run as frame
from homeport.errors import HomeportError, RightsError, SourceError, UsageError

COMMAND = [sys.executable, "-P", "-m", "homeport"]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("HOMEPORT_DEBUG", raising=False)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The exit code of a run whose command raises `error`."""

    def dispatch(words: object) -> int:
        raise error

    monkeypatch.setattr(frame, "_dispatch", dispatch)
    monkeypatch.setattr(frame, "_forget_output", lambda: None)
    return frame.run([])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HomeportError("it broke"), 1),
        (SourceError("it broke"), 1),
        (UsageError("it broke"), 2),
        (RightsError("it broke"), 3),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(
    error: HomeportError, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(monkeypatch, error) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", "homeport: it broke\n")


def test_an_error_says_why_and_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(monkeypatch, HomeportError("it broke", why="it was old", remedy="buy a new one"))
    assert capsys.readouterr().err == "homeport: it broke: it was old\nbuy a new one\n"


def test_an_error_cannot_command_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, HomeportError("bad \x1b[31mred\nline \udcff", remedy="do\x07"))
    assert capsys.readouterr().err == "homeport: bad \\x1b[31mred\\nline \\xff\ndo\\x07\n"


def test_an_interrupt_is_130_and_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(monkeypatch, KeyboardInterrupt()) == 130
    wrapped = RuntimeError("Error calling __set_name__ on 'cached_property' instance")
    wrapped.__cause__ = KeyboardInterrupt()
    assert failing(monkeypatch, wrapped) == 130
    assert capsys.readouterr() == ("", "")


def test_a_bug_is_70_and_asks_to_be_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(monkeypatch, ZeroDivisionError("by zero")) == 70
    err = capsys.readouterr().err
    assert err.startswith("homeport: internal error: ZeroDivisionError: by zero\n")
    assert "report it" in err
    assert "Traceback" not in err


def test_a_bug_shows_its_traceback_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOMEPORT_DEBUG", "1")
    assert failing(monkeypatch, ZeroDivisionError("by zero")) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_os_error_about_a_file_is_a_bug_not_a_full_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "/some/file")) == 70
    assert "/some/file" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["ls"], ["ls", "--json"], ["--help"], ["completion", "zsh"]])
def test_a_full_disk_is_said_once(words: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "homeport: the answer cannot be written: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("words", [["ls"], ["ls", "--json"], ["--help"], ["ls", "--csv"]])
def test_a_reader_that_goes_away_ends_it_as_any_other_program(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, *words], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == -signal.SIGPIPE
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(closed: str) -> None:
    done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *COMMAND, "ls"], capture_output=True, check=False)
    assert done.returncode in (0, 1)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
    ],
)
def test_no_locale_makes_a_character_fail(environment: dict[str, str]) -> None:
    command = [*COMMAND, "wörd→\udcff"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"homeport: ")
    assert b"internal error" not in done.stderr


def test_control_c_ends_a_stream_with_130() -> None:
    process = subprocess.Popen(
        [*COMMAND, "ls", "--watch=0.2", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith('{"schema": "homeport/1"')
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in out + err
