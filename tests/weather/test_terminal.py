"""Terminals of every width, pipes that close, streams that are gone, interrupts: real ones, on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping

import pytest
from tests.weather.conftest import COMMAND, run

from homeport.cli.text import cells

SGR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """homeport on a pseudo-terminal of its own; `text` is what it has written so far."""

    def __init__(self, *words: str, columns: int, lines: int = 24, env: Mapping[str, str] | None = None) -> None:
        self.text = ""
        self._master, slave = pty.openpty()
        self.resize(columns, lines)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *COMMAND, *words], stdin=slave, stdout=slave, stderr=slave,
            env={**os.environ, "TERM": "xterm", **(env or {})},
        )  # fmt: skip
        os.close(slave)

    def resize(self, columns: int, lines: int = 24) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def until(self, seen: Callable[[str], bool]) -> str:
        """Read on until `seen`; bounded."""
        deadline = time.monotonic() + 30
        while not seen(self.text):
            assert time.monotonic() < deadline, self.text
            if not self._read():
                break
        return self.text

    def end(self) -> int:
        """Read all that comes, and the exit code."""
        deadline = time.monotonic() + 30
        while self._read():
            assert time.monotonic() < deadline, self.text
        os.close(self._master)
        return self.process.wait(30)

    def _read(self) -> bool:
        if select.select([self._master], [], [], 0.1)[0]:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # EIO: nobody has the other side any more
                return False
            self.text += data.decode("utf-8", "replace")
            return bool(data)
        return True


def shown(*words: str, columns: int, env: Mapping[str, str] | None = None) -> list[str]:
    """The lines that a terminal gets, without colours."""
    terminal = Terminal(*words, columns=columns, env=env)
    assert terminal.end() == 0, terminal.text
    return SGR.sub("", terminal.text).split("\r\n")


@pytest.mark.parametrize("columns", [1, 20, 40, 80])
def test_no_line_is_longer_than_the_terminal(columns: int, port: int) -> None:
    lines = shown("ls", str(port), columns=columns)
    assert max(map(cells, lines)) <= columns
    assert lines[1].endswith("…") or columns == 80


def test_a_terminal_that_does_not_know_its_width_has_80_columns(port: int) -> None:
    assert "this machine" in shown("ls", str(port), columns=0)[1]


def test_wide_shows_all_on_any_terminal(port: int) -> None:
    assert "…" not in "".join(shown("ls", str(port), "--wide", columns=40)[:2])


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(env: dict[str, str], port: int) -> None:
    terminal = Terminal("ls", str(port), columns=80, env=env)
    assert terminal.end() == 0
    assert "\x1b" not in terminal.text
    assert str(port) in terminal.text


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 128 + signal.SIGTERM), ("SIGHUP", 128 + signal.SIGHUP)]
)
def test_watch_gives_the_terminal_back(name: str, code: int, port: int) -> None:
    terminal = Terminal("ls", str(port), "--watch=0.2", columns=80)
    terminal.until(lambda text: text.count("Ctrl-C ends") > 1)
    assert "\x1b[?1049h\x1b[?25l" in terminal.text
    terminal.process.send_signal(getattr(signal, name))
    assert terminal.end() == code
    assert terminal.text.endswith("\x1b[?25h\x1b[?1049l")
    assert "Traceback" not in terminal.text


def test_control_c_ends_the_watch(port: int) -> None:
    terminal = Terminal("ls", str(port), "--watch=0.2", columns=80)
    terminal.until(lambda text: "Ctrl-C ends" in text)
    terminal.press(b"\x03")
    assert terminal.end() == 130
    assert terminal.text.endswith("\x1b[?25h\x1b[?1049l")


def test_watch_follows_the_size_of_the_terminal(port: int) -> None:
    terminal = Terminal("ls", str(port), "--watch=0.2", columns=100)
    terminal.until(lambda text: "Ctrl-C ends" in text)
    before = len(terminal.text)
    terminal.resize(30, 5)
    terminal.until(lambda text: text.count("…", before) > 2 and text.endswith("\x1b[J"))
    last = terminal.text[terminal.text.rindex("\x1b[H") :]
    lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", last).replace("\r", "").split("\n")
    assert len(lines) <= 5
    assert max(map(cells, lines)) <= 30
    terminal.press(b"\x03")
    assert terminal.end() == 130


def test_a_closed_pipe_ends_the_stream_without_a_word(port: int) -> None:
    process = subprocess.Popen(
        [*COMMAND, "ls", str(port), "--watch=0.2", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    assert process.wait(30) == -signal.SIGPIPE
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_head_takes_one_line_and_nobody_complains() -> None:
    done = run(["bash", "-c", '"$@" | head -1; echo "${PIPESTATUS[0]}"', "bash", *COMMAND, "ls", "--all"])
    assert done.stderr == ""
    assert done.stdout.split()[0] == "PORT"
    assert done.stdout.split()[-1] in ("0", str(128 + signal.SIGPIPE))  # as it wrote before or after head had enough


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize("source", ["bpf", "netlink", "psutil"])
def test_streams_that_are_closed(streams: str, source: str, port: int) -> None:
    done = run(["sh", "-c", f'"$@" {streams}', "sh", *COMMAND, "ls", str(port), "--source", source])
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Errno" not in done.stderr


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_an_interrupt_at_any_moment_leaves_no_traceback_of_homeport(source: str) -> None:
    """Python's own start-up, before there is a homeport, answers an interrupt as it likes."""
    for wait in range(0, 60, 4):
        process = subprocess.Popen(
            [*COMMAND, "ls", "--source", source], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        time.sleep(wait / 1000)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
        assert process.returncode in (0, 1, 130, -signal.SIGINT)
        assert "homeport/system" not in complaints
        assert "homeport/operations" not in complaints
        assert "internal error" not in complaints
