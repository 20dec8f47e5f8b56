"""Debug servers that end with their first client: known by their command line and never dialled.

gdbserver with --once, and Delve without --accept-multiclient, stop when their first connection ends, and kill what they
debug; gdbserver says every connection in its output. debugpy's adapter greets (see `debugpy.py`), but a program that
waits for its debugger can never be attached to again after a connection was closed early. (Seen with gdbserver 13 and
debugpy 1.8.)
"""

from __future__ import annotations

import re

from homeport.services.kind import Clues, Match, Speaker


def _base(word: str) -> str:
    return word.rpartition("/")[2].lower()


def _names(words: tuple[str, ...], port: int) -> bool:
    """Whether a word is an address with that port: `:1234`, `localhost:1234`, `--listen=:1234`."""
    return any(re.search(rf"(?:\A|[:=]){port}\Z", word) for word in words)


def gdbserver(clues: Clues) -> Match | None:
    """Recognise gdbserver and LLDB's server."""
    for command in clues.commands:
        if (
            command
            and _base(command[0]) in ("gdbserver", "lldb-server", "debugserver")
            and _names(command[1:], clues.port)
        ):
            return Match("gdb-remote", _base(command[0]), None, f"it was started as {' '.join(command)[:120]}")
    return None


def delve(clues: Clues) -> Match | None:
    """Recognise Delve."""
    for command in clues.commands:
        if command and _base(command[0]) == "dlv" and _names(command[1:], clues.port):
            protocol = "dap" if "dap" in command else "delve"
            return Match(protocol, "Delve", None, f"it was started as {' '.join(command)[:120]}")
    return None


GDBSERVER = Speaker("gdb-remote", programs=("gdbserver", "lldb-server", "debugserver"), fragile=gdbserver)
DELVE = Speaker("delve", programs=("dlv",), fragile=delve)
