"""The man page and the completions in share/ are what the commands make of themselves, and can be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from homeport.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "share" / "man" / "man1" / "homeport.1"


def rendered() -> subprocess.CompletedProcess[str]:
    command = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(PAGE)]
    environment = {**os.environ, "MANWIDTH": "120", "LC_ALL": "C.UTF-8", "GROFF_NO_SGR": "1", "MANPAGER": "col -bx"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_files_are_what_the_commands_make() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "build_share.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_man_reads_the_page_without_a_warning() -> None:
    done = rendered()
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_page_names_every_command_and_option() -> None:
    text = PAGE.read_text("utf-8").replace("\\-", "-")
    for command in COMMANDS:
        assert f'.SS "{command.name}"' in text
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert all(name in text for name in parameter.opts)
    assert cli.help is not None
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES"):
        assert title in text
