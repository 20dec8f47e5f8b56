"""Completion in the shells themselves, on a terminal, as a person would press the key."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homeport.cli.completion import SHELLS, script
from homeport.cli.main import cli

PATIENCE = 60.0
START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--private"],
}
LOAD = {
    "bash": "source {script}",
    "zsh": "autoload -Uz compinit; compinit -u -d {folder}/zcompdump; source {script}",
    "fish": "source {script}",
}


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.screen = ""
        self._main, side = pty.openpty()
        termios.tcsetwinsize(self._main, (40, 120))
        # setsid(1) makes the terminal the controlling one, without which a shell has no job control and fish ends.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command], stdin=side, stdout=side, stderr=side, env=environment, cwd=folder
        )
        os.close(side)

    def type(self, text: str) -> None:
        os.write(self._main, text.encode())

    def wait_for(self, pattern: str, *, after: int = 0) -> int:
        """Read until the pattern is on the screen after position `after`; the position of its end."""
        end = time.monotonic() + PATIENCE
        while not (found := re.compile(pattern).search(self.screen, after)):
            left = end - time.monotonic()
            assert left > 0, f"waited for {pattern!r} in {self.screen!r}"
            if select.select([self._main], [], [], left)[0]:
                text = os.read(self._main, 65536).decode("utf-8", "replace")
                if "\x1b[c" in text:  # fish asks what kind of terminal this is (ECMA-48 DA) and waits for an answer
                    self.type("\x1b[?1;2c")
                self.screen += re.sub(
                    r"\x1b(\[[0-9;?>=]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>])", "", text
                )
        return found.end()

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._main)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[str], Terminal]]:
    """Opens a shell that has loaded its completion script."""
    opened: list[Terminal] = []

    def start(shell: str) -> Terminal:
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        binaries = tmp_path / "bin"
        binaries.mkdir()
        launcher = binaries / "homeport"
        launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m homeport "$@"\n')
        launcher.chmod(0o755)
        path = tmp_path / f"completion.{shell}"
        path.write_text(script(cli, shell))
        environment = {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "PS1": "> ",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        shell_terminal = Terminal(START[shell], environment, tmp_path)
        opened.append(shell_terminal)
        shell_terminal.type(LOAD[shell].format(script=path, folder=tmp_path) + "; echo lo''aded\n")
        shell_terminal.wait_for("loaded")
        return shell_terminal

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def port() -> Iterator[int]:
    """A port where this process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("typed", "whole"), [("homeport expl", "homeport explain"), ("homeport doctor --unp", "homeport doctor --unpin")]
)
def test_a_shell_completes_commands_and_options(
    shell: str, typed: str, whole: str, terminal: Callable[[str], Terminal]
) -> None:
    opened = terminal(shell)
    opened.type(f"{typed}\t")
    opened.wait_for(re.escape(whole))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "typed", ["homeport show {}", "homeport {}", "homeport show 127.0.0.1:{}", "homeport localhost:{}"]
)
def test_a_shell_completes_the_ports_that_listen(
    shell: str, typed: str, terminal: Callable[[str], Terminal], port: int
) -> None:
    opened = terminal(shell)
    # All but the last digit; twice, since more than one port may begin so: then the shell lists them.
    opened.type(typed.format(str(port)[:-1]) + "\t\t")
    opened.wait_for(rf"\b{port}\b")


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_quick_to_say_nothing(shell: str, terminal: Callable[[str], Terminal]) -> None:
    opened = terminal(shell)
    opened.type("homeport show nothing-is-called-so\t\x15echo still''here\n")
    opened.wait_for("stillhere")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_the_script(shell: str, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "homeport", "completion", shell]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, script(cli, shell), "")
