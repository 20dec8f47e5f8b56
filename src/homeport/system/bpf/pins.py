"""The iterator kept in the kernel: a link and its map of filters, by name in the BPF file system (BPF_OBJ_PIN, bpf(2)).

Only root's are trusted, in a folder that nobody else may enter: whoever can write there can answer for the kernel.
Names carry the version of the records, so that another version of homeport neither sees nor breaks them.
"""

from __future__ import annotations

import os
import stat

from homeport.errors import RightsError, SourceError
from homeport.lean import NamedTuple
from homeport.wire.bpf_records import VERSION

FILE_SYSTEM = "/sys/fs/bpf"
_FOLDER = "homeport"
_ITERATOR = f"sockets-{VERSION}"
_FILTERS = f"filters-{VERSION}"


class Pinned(NamedTuple):
    """Open descriptors: one pass of the iterator, and the map of filters."""

    iterator: int
    filters: int


def problem() -> str | None:
    """Why what is pinned here is ignored; None when it is good, or when there is nothing."""
    try:
        folder = _open_folder()
    except FileNotFoundError:  # nothing is pinned: that is no problem
        return None
    except OSError as error:
        return f"the pinned BPF iterators are ignored: {error.strerror or error}"
    os.close(folder)
    return None


def there() -> bool | None:
    """Whether a trusted iterator of this version is pinned; None when this user may not know."""
    try:
        folder = _open_folder()
    except PermissionError:
        return None
    except OSError:  # none, or none to be trusted: `problem` says which
        return False
    try:
        return set(os.listdir(folder)) >= {_ITERATOR, _FILTERS}
    except OSError:  # taken away just now
        return False
    finally:
        os.close(folder)


def opened() -> Pinned | None:
    """The pinned iterator, if there is one to be trusted."""
    try:
        folder = _open_folder()
    except OSError:  # none, or none to be trusted: `problem` says which
        return None
    try:
        iterator = os.open(_ITERATOR, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
        try:
            from homeport.system.bpf import syscall

            return Pinned(iterator, syscall.pinned(f"/proc/self/fd/{folder}/{_FILTERS}"))
        except OSError:
            os.close(iterator)
            raise
    except OSError:  # of another version, or half taken away: the program is loaded instead
        return None
    finally:
        os.close(folder)


def pin(link: int, filters: int) -> None:
    """Keep them. Raises RightsError, SourceError, OSError."""
    from homeport.system.bpf import syscall

    unpin()
    folder = f"{FILE_SYSTEM}/{_FOLDER}"
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:  # another version's are in it
        pass
    try:
        syscall.pin(filters, f"{folder}/{_FILTERS}")
        syscall.pin(link, f"{folder}/{_ITERATOR}")
    except OSError:
        unpin()
        raise


def unpin() -> None:
    """Take this version's away. Raises RightsError, SourceError, OSError."""
    if os.geteuid() != 0:
        raise RightsError("only root keeps BPF iterators in the kernel", remedy="sudo homeport doctor …")
    if not _mounted():
        raise SourceError(
            "there is no place to keep BPF iterators",
            why=f"the BPF file system is not mounted at {FILE_SYSTEM}",
            remedy=f"sudo mount -t bpf bpf {FILE_SYSTEM}",
        )
    folder = f"{FILE_SYSTEM}/{_FOLDER}"
    if (why := problem()) is not None:
        raise SourceError("what is pinned is not homeport's to change", why=why, remedy=f"sudo rm -r {folder}")
    for name in (_ITERATOR, _FILTERS):
        try:
            os.unlink(f"{folder}/{name}")
        except FileNotFoundError:  # was not there
            pass
    try:
        os.rmdir(folder)
    except OSError:  # was not there, or has another version's
        pass


def _open_folder() -> int:
    folder = os.open(f"{FILE_SYSTEM}/{_FOLDER}", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(folder)
    if found.st_uid != 0 or stat.S_IMODE(found.st_mode) & 0o077:
        os.close(folder)
        raise OSError(None, f"{FILE_SYSTEM}/{_FOLDER} is not root's alone")
    return folder


def _mounted() -> bool:
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        return any(words[1:3] == [FILE_SYSTEM, "bpf"] for words in (line.split() for line in mounts))
