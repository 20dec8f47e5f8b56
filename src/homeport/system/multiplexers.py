"""Windows of tmux and screen, which keep what was written to them. Only the caller's own servers are asked."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable

from homeport.logs.places.kind import Member, Pane
from homeport.system import procfs
from homeport.system.files import read_regular
from homeport.system.lineage import ancestors
from homeport.system.programs import output_of
from homeport.system.reading import environment

PATIENCE = 1.0
_MOST = 16 << 20
_SHORTEST_WAIT = 0.02


def panes(members: Iterable[Member], terminals: frozenset[str]) -> dict[str, Pane]:
    """The windows that are these terminals, by the terminal's path."""
    found: dict[str, Pane] = {}
    asked: set[str] = set()
    for member in members if terminals else ():
        for variables in _environments(member):
            socket = variables.get("TMUX", "").partition(",")[0]
            if socket and socket not in asked:
                asked.add(socket)
                found |= {terminal: pane for terminal, pane in _tmux(socket).items() if terminal in terminals}
            name, window = variables.get("STY", ""), variables.get("WINDOW", "")
            own = terminals & {one.target for one in member.descriptors or () if one.number in (1, 2)}
            if _is_own_screen(name) and window.isdigit():
                for terminal in own:
                    found.setdefault(terminal, Pane("screen", name, window, f"window {window} of {name}"))
    return found


def history(pane: Pane, lines: int) -> bytes:
    """The last lines of a window, with what has scrolled away. Raises OSError with why it cannot be had."""
    if pane.program == "tmux":
        command = ("-u", "-S", pane.server, "capture-pane", "-p", "-J", "-S", f"-{lines}", "-t", pane.target)
        text, why = output_of("tmux", *command, patience=PATIENCE)
    else:
        text, why = _screen(pane)
    if text is None:
        raise OSError(why)
    return text.rstrip(b"\n \t") + b"\n"


def _environments(member: Member) -> list[dict[str, str]]:
    """The variables of a process and of its parents: a server may be started without them."""
    own = [] if member.environment is None else [dict(member.environment)]
    if own and ("TMUX" in own[0] or "STY" in own[0]):
        return own
    return own + [found for one in ancestors(member.process).processes[1:] if (found := environment(one.pid))]


def _tmux(socket: str) -> dict[str, Pane]:
    """The panes of a server, by terminal. A tmux client does what its server says: only the caller's own is asked."""
    try:
        if os.stat(socket).st_uid != os.geteuid():
            return {}
    except OSError:  # the server has ended
        return {}
    form = "#{pane_id} #{pane_tty} #{session_name}:#{window_index}.#{pane_index}"
    text, _ = output_of("tmux", "-u", "-S", socket, "list-panes", "-a", "-F", form, patience=PATIENCE)
    rows = (line.split(" ", 2) for line in (text or b"").decode("utf-8", "replace").splitlines())
    return {row[1]: Pane("tmux", socket, row[0], row[2]) for row in rows if len(row) == 3 and row[0].startswith("%")}


def _is_own_screen(name: str) -> bool:
    """STY is `PID.tty.host` of a server, which must be the caller's and be called screen."""
    pid = name.partition(".")[0]
    server = procfs.read_process(int(pid)) if pid.isdigit() and len(pid) < 10 else None
    return server is not None and server.uid == os.geteuid() and server.name in ("screen", "SCREEN")


def _screen(pane: Pane) -> tuple[bytes | None, str]:
    """screen(1) writes a window's history to a file, some time after it was told to."""
    with tempfile.TemporaryDirectory(prefix="homeport-") as folder:
        path = os.path.join(folder, "window")
        command = ("-S", pane.server, "-p", pane.target, "-X", "hardcopy", "-h", path)
        text, why = output_of("screen", *command, patience=PATIENCE)
        if text is None:
            return None, why
        deadline = time.monotonic() + PATIENCE
        before = -1
        while time.monotonic() < deadline:
            found = read_regular(path, _MOST)
            if found and len(found) == before:  # written, and not being written any more
                return found, ""
            before = len(found or b"")
            time.sleep(_SHORTEST_WAIT)
    return None, "screen did not write the window's content"
