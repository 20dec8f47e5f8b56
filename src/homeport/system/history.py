"""The file that remembers who lived on which port: `$XDG_STATE_HOME/homeport/history`, 0600 in a folder 0700.

It is a convenience: whatever is wrong with it (no home, no space, no rights, nonsense inside), no command fails for it.
What it holds stands in `rules/history.py`; HOMEPORT_NO_HISTORY=1, or `history = false` in config.toml, turns it off.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from homeport.model.snapshot import Listener
from homeport.rules.history import MAX_CHARACTERS, Sighting, dump, parse, sightings, updated
from homeport.system import state

MAX_LISTENERS = 1000
"""A look at more than this is somebody's load test: nothing of it is remembered."""


def record(listeners: Sequence[Listener]) -> None:
    """Remember who listens where. Writes only what is new or over an hour old; no OSError gets out."""
    folder = state.folder()
    if folder is None or len(listeners) > MAX_LISTENERS:
        return
    try:
        seen = sightings(listeners, os.stat("/proc/self/ns/net").st_ino)
    except OSError:
        seen = sightings(listeners, None)  # no namespaces here: all that is seen is this machine's own
    now = int(time.time())
    if not seen or updated(_read(folder), seen, now) is None or state.turned_off():
        return
    try:
        _write(folder, seen, now)
    except (OSError, UnicodeEncodeError):
        # a disk that is full or read-only, a folder of somebody else, a name that is no text: forgetting is harmless
        return


def recall() -> dict[str, str]:
    """The history, for `rules.history.visits`; empty where there is none, or it is turned off."""
    folder = state.folder()
    return {} if folder is None or state.turned_off() else _read(folder)


def _read(folder: str) -> dict[str, str]:
    return parse(state.read(os.path.join(folder, "history"), 4 * MAX_CHARACTERS) or "")


def _write(folder: str, seen: Sequence[Sighting], now: int) -> None:
    state.prepare(folder)
    lock = state.lock(os.path.join(folder, "history.lock"))  # held (OSError): another homeport is writing the same news
    try:
        changed = updated(_read(folder), seen, now)
        if changed is not None:
            state.replace(os.path.join(folder, "history"), dump(changed))
    finally:
        os.close(lock)
