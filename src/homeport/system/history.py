"""The file that remembers who lived on which port: `$XDG_STATE_HOME/homeport/history`, 0600 in a folder 0700.

It is a convenience: whatever is wrong with it (no home, no space, no rights, nonsense inside), no command fails for it.
What it holds stands in `rules/history.py`; HOMEPORT_NO_HISTORY=1, or `history = false` in config.toml, turns it off.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence

from homeport.model.snapshot import Listener
from homeport.rules.history import MAX_CHARACTERS, Sighting, dump, parse, sightings, updated

MAX_LISTENERS = 1000
"""A look at more than this is somebody's load test: nothing of it is remembered."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def record(listeners: Sequence[Listener]) -> None:
    """Remember who listens where. Writes only what is new or over an hour old; no OSError gets out."""
    folder = _folder()
    if folder is None or len(listeners) > MAX_LISTENERS:
        return
    try:
        seen = sightings(listeners, os.stat("/proc/self/ns/net").st_ino)
    except OSError:
        seen = sightings(listeners, None)  # no namespaces here: all that is seen is this machine's own
    now = int(time.time())
    if not seen or updated(_read(folder), seen, now) is None or _turned_off():
        return
    try:
        _write(folder, seen, now)
    except (OSError, UnicodeEncodeError):
        # a disk that is full or read-only, a folder of somebody else, a name that is no text: forgetting is harmless
        return


def recall() -> dict[str, str]:
    """The history, for `rules.history.visits`; empty where there is none, or it is turned off."""
    folder = _folder()
    return {} if folder is None or _turned_off() else _read(folder)


def _folder() -> str | None:
    """The folder of the history, or None: turned off, or no home known (XDG Base Directory Specification 0.8)."""
    if os.environ.get("HOMEPORT_NO_HISTORY", "0") not in ("", "0"):
        return None
    state, home = os.environ.get("XDG_STATE_HOME", ""), os.environ.get("HOME", "")
    if not os.path.isabs(state):
        if not os.path.isabs(home):
            return None
        state = os.path.join(home, ".local/state")
    return os.path.join(state, "homeport")


def _turned_off() -> bool:
    """Whether the user's config.toml says `history = false`."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.environ.get("HOME", "/"), ".config")
    text = _read_file(os.path.join(home, "homeport", "config.toml"))
    if not text or "history" not in text:
        return False
    import tomllib

    try:
        return tomllib.loads(text).get("history") is False
    except tomllib.TOMLDecodeError:
        return True  # it speaks of the history, and cannot be read: the careful way is to write none


def _read(folder: str) -> dict[str, str]:
    return parse(_read_file(os.path.join(folder, "history")) or "")


def _read_file(path: str) -> str | None:
    """The text of a regular file of at most 4 bytes for each of `MAX_CHARACTERS`; None for everything else."""
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return None  # none there, or not ours to read: nothing is remembered
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > 4 * MAX_CHARACTERS:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(4 * MAX_CHARACTERS).decode("utf-8", "surrogateescape")
    except OSError:
        return None  # a disk that fails: nothing is remembered
    finally:
        os.close(descriptor)


def _write(folder: str, seen: Sequence[Sighting], now: int) -> None:
    import fcntl

    _prepare(folder)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(os.path.join(folder, "history.lock"), flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held (OSError): another homeport is writing the same news
        changed = updated(_read(folder), seen, now)
        if changed is not None:
            _replace(os.path.join(folder, "history"), dump(changed))
    finally:
        os.close(lock)


def _prepare(folder: str) -> None:
    """Make the folder, 0700; OSError if it would be in a place of another user (a `sudo` that kept HOME)."""
    existing = folder
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if os.stat(existing).st_uid != os.geteuid():
        raise PermissionError(existing)
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    if existing != folder:
        os.mkdir(folder, 0o700)
    elif stat.S_IMODE(os.stat(folder).st_mode) != 0o700:
        os.chmod(folder, 0o700)


def _replace(path: str, text: str) -> None:
    """Write a file of ours anew, by way of one beside it: a reader sees the old text or the new one."""
    beside = f"{path}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(beside, flags, 0o600), "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
        os.replace(beside, path)
    except OSError:
        os.unlink(beside)
        raise
