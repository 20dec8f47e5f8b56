"""Files that homeport keeps for its user: `$XDG_STATE_HOME/homeport/`, 0600 in a folder 0700.

They are conveniences: whatever is wrong with them (no home, no space, no rights, nonsense inside), no command fails.
HOMEPORT_NO_HISTORY=1, or `history = false` in config.toml, turns all of them off.
"""

from __future__ import annotations

import os
import stat

_MOST_SETTINGS = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def folder() -> str | None:
    """The folder, or None: turned off, or no home known (XDG Base Directory Specification 0.8)."""
    if os.environ.get("HOMEPORT_NO_HISTORY", "0") not in ("", "0"):
        return None
    state, home = os.environ.get("XDG_STATE_HOME", ""), os.environ.get("HOME", "")
    if not os.path.isabs(state):
        if not os.path.isabs(home):
            return None
        state = os.path.join(home, ".local/state")
    return os.path.join(state, "homeport")


def turned_off() -> bool:
    """Whether the user's config.toml says `history = false`."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.environ.get("HOME", "/"), ".config")
    text = read(os.path.join(home, "homeport", "config.toml"), _MOST_SETTINGS)
    if not text or "history" not in text:
        return False
    import tomllib

    try:
        return tomllib.loads(text).get("history") is False
    except tomllib.TOMLDecodeError:
        return True  # it speaks of the history, and cannot be read: the careful way is to write none


def read(path: str, most: int) -> str | None:
    """The text of a regular file of this user's, or root's, of at most `most` bytes; None for everything else."""
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return None  # none there, or not ours to read: nothing is remembered
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most or found.st_uid not in (0, os.geteuid()):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most).decode("utf-8", "surrogateescape")
    except OSError:
        return None  # a disk that fails: nothing is remembered
    finally:
        os.close(descriptor)


def prepare(path: str) -> None:
    """Make the folder, 0700; OSError if it would be in a place of another user (a `sudo` that kept HOME).

    Such a user could lead us anywhere by a link: so each folder and link on the way must be ours, or root's.
    """
    existing = path
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if os.stat(existing).st_uid != os.geteuid() or not _is_ours(existing):
        raise PermissionError(existing)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    if existing != path:
        os.mkdir(path, 0o700)
    elif stat.S_IMODE(os.stat(path).st_mode) != 0o700:
        os.chmod(path, 0o700)


def _is_ours(path: str) -> bool:
    """Whether nobody but root and this user can say where a path leads. Raises OSError."""
    while True:
        if os.lstat(path).st_uid not in (0, os.geteuid()):
            return False
        above = os.path.dirname(path)
        if above == path:
            return True
        path = above


def lock(path: str) -> int:
    """A descriptor that holds the lock of that file until it is closed; OSError where another one has it."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def replace(path: str, text: str) -> None:
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
