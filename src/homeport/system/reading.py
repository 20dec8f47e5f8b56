"""Files that could say where a port comes from, read within bounds that are kept and told.

At most MAX_FILES files, MAX_FILE bytes of each and MAX_TOTAL in all; only regular files; never /proc, /sys or /dev, nor
what else the kernel makes up, wherever it is mounted; and where links may not lead out of a folder the kernel sees to
it (openat2(2), RESOLVE_BENEATH and RESOLVE_IN_ROOT).
"""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
import struct
import sys
from collections.abc import Iterator

from homeport.system import procfs

MAX_FILES = 64
MAX_FILE = 1 << 18
MAX_TOTAL = 1 << 21
MAX_MATCHES = 24
MAX_OPEN = 16
MAX_ENVIRONMENT = 1 << 18

_OPENAT2 = 437  # the same number on every architecture
_NO_MAGICLINKS, _BENEATH, _IN_ROOT = 0x02, 0x08, 0x10
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_FORBIDDEN = ("/proc", "/sys", "/dev")
_MADE_UP = frozenset((0x9FA0, 0x62656572, 0x27E0EB, 0x63677270, 0x64626720, 0x74726163, 0x73636673, 0xCAFE4A11))
"""statfs(2)'s f_type of proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs and bpf (linux/magic.h)."""
_BINARY = (".so", ".db", ".sqlite", ".sqlite3", ".jar", ".pyc", ".pak", ".mo", ".ttf", ".woff2", ".log", ".wal")


class Reader:
    """One search. `root` is /proc/PID/root of a process that sees other files than the caller; None: the same."""

    def __init__(self, root: str | None = None) -> None:
        self.root = root
        self._left = MAX_TOTAL
        self._files = 0
        self._seen: set[str] = set()
        self.searched: list[str] = []

    def texts(self, pattern: str, within: str | None) -> Iterator[tuple[str, str]]:
        """(path, text) of the files that a path with a glob in its last part names; each file once a search."""
        for path in self._expand(pattern, within):
            if path in self._seen:
                continue
            self._seen.add(path)
            if self._files >= MAX_FILES or self._left <= 0:
                self._say(f"stopped after {self._files} files: that is as much as is read for one port")
                return
            data = self._read(path, within)
            if data is not None:
                self._files += 1
                self._left -= len(data)
                self._say(path if len(data) < MAX_FILE else f"{path} (its first {MAX_FILE // 1024} KB)")
                if b"\0" not in data[:1024]:
                    yield path, data.decode("utf-8", "replace")

    def _say(self, text: str) -> None:
        if text not in self.searched:
            self.searched.append(text)

    def _expand(self, pattern: str, within: str | None) -> list[str]:
        folder, _, name = pattern.rpartition("/")
        if not any(character in name for character in "*?["):
            return [pattern]
        descriptor = self._open(folder or "/", within, os.O_DIRECTORY)
        if descriptor is None:
            return []
        try:
            names = os.listdir(descriptor)
        except OSError:  # it went away
            return []
        finally:
            os.close(descriptor)
        return [f"{folder}/{one}" for one in sorted(fnmatch.filter(names, name))[:MAX_MATCHES]]

    def _read(self, path: str, within: str | None) -> bytes | None:
        descriptor = self._open(path, within, 0)
        if descriptor is None:
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode) or _is_made_up(descriptor):
                return None
            most, chunks = min(MAX_FILE, self._left), []
            while most > 0 and (chunk := os.read(descriptor, most)):
                chunks.append(chunk)
                most -= len(chunk)
            return b"".join(chunks)
        except OSError:  # an error of the disk or of a file server: as good as absent
            return None
        finally:
            os.close(descriptor)

    def _open(self, path: str, within: str | None, flags: int) -> int | None:
        if "\0" in path:  # the kernel would read the name up to there
            return None
        try:
            if within is not None:
                inside = os.path.relpath(path, within)
                if inside == ".." or inside.startswith("../"):
                    return None
                return _open_within(self.root, within, inside, flags)
            if self.root is not None:
                return _open_below(self.root, path, flags, _IN_ROOT)
            real = os.path.realpath(path)
            if any(real == folder or real.startswith(f"{folder}/") for folder in _FORBIDDEN):
                return None
            return os.open(real, _FLAGS | flags | getattr(os, "O_NOFOLLOW", 0))
        except (OSError, ValueError):  # absent, closed to the caller, leading out, or no name at all
            return None


def open_inside(root: str | None, path: str) -> int:
    """A descriptor to read a file by the name it has below `root` (None: the caller's own). Raises OSError.

    What leads into /proc, /sys or /dev is refused: `/dev/stdout` would be the caller's own.
    """
    if "\0" in path:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    if root is not None:
        return _open_below(root, path, 0, _IN_ROOT)
    real = os.path.realpath(path)
    if any(real == folder or real.startswith(f"{folder}/") for folder in _FORBIDDEN):
        raise OSError(errno.EINVAL, f"it leads to {real}")
    return os.open(real, _FLAGS | getattr(os, "O_NOFOLLOW", 0))


def environment(pid: int) -> dict[str, str] | None:
    """The environment that a process was started with (proc(5), /proc/PID/environ); None: closed to the caller."""
    data = procfs.read_bytes(f"/proc/{pid}/environ", MAX_ENVIRONMENT)
    if data is None:
        return None
    pairs = (entry.decode("utf-8", "replace").partition("=") for entry in data.split(b"\0") if b"=" in entry)
    return {name: value for name, _, value in pairs}


def open_files(pid: int) -> list[str]:
    """Regular files that a process has open for reading alone, as it names them; logs and data bases are left out."""
    found: list[str] = []
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:  # ended, or closed to the caller
        return found
    for name in names:
        target = procfs.read_link(f"/proc/{pid}/fd/{name}")
        if target is None or not target.startswith("/") or target.endswith((" (deleted)", *_BINARY)):
            continue
        if target.startswith(tuple(f"{folder}/" for folder in (*_FORBIDDEN, "/var/log", "/usr/lib", "/usr/share"))):
            continue
        if target not in found and _is_read_only(pid, name):
            found.append(target)
            if len(found) >= MAX_OPEN:
                break
    return found


def _is_read_only(pid: int, descriptor: str) -> bool:
    for line in (procfs.read_text(f"/proc/{pid}/fdinfo/{descriptor}", 4096) or "").splitlines():
        if line.startswith("flags:"):
            digits = line[6:].strip()
            return digits.isascii() and digits.isdigit() and int(digits, 8) & os.O_ACCMODE == os.O_RDONLY
    return False


def _open_within(root: str | None, folder: str, path: str, flags: int) -> int:
    """open(2) of a path that cannot leave `folder`, which lies below `root`. Raises OSError."""
    if root is None:
        return _open_below(folder, path, flags, _BENEATH)
    base = _open_below(root, folder, os.O_DIRECTORY, _IN_ROOT)
    try:
        return _open_below(f"/proc/self/fd/{base}", path, flags, _BENEATH)
    finally:
        os.close(base)


def _is_made_up(descriptor: int) -> bool:
    """Whether a file is none of a disk but the kernel's own, such as one of /proc: fstatfs(2)."""
    if sys.platform != "linux":
        return False
    import ctypes

    buffer = ctypes.create_string_buffer(256)  # struct statfs, of 120 bytes at most, begins with f_type, a long
    if ctypes.CDLL(None, use_errno=True).fstatfs(descriptor, buffer) != 0:
        return False
    return ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF in _MADE_UP


def _open_below(folder: str, path: str, flags: int, resolve: int) -> int:
    """open(2) of a path that cannot leave `folder`. Raises OSError."""
    base = os.open(folder, getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        descriptor = _openat2(base, path, _FLAGS | flags, resolve | _NO_MAGICLINKS)
    finally:
        os.close(base)
    if descriptor is not None:
        return descriptor
    if resolve == _IN_ROOT:  # nothing else keeps absolute links of another root inside
        raise OSError("no openat2 on this system")
    real, root = os.path.realpath(os.path.join(folder, path)), os.path.realpath(folder)
    if os.path.commonpath((real, root)) != root:
        raise OSError("it leads out of its folder")
    return os.open(real, _FLAGS | flags)


def _openat2(base: int, path: str, flags: int, resolve: int) -> int | None:
    """openat2(2); None on systems without it (Linux before 5.6). Raises OSError."""
    if sys.platform != "linux":
        return None
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    how = struct.pack("=QQQ", flags, 0, resolve)
    # RESOLVE_IN_ROOT takes an absolute path as one below the root; BENEATH refuses those
    result = libc.syscall(ctypes.c_long(_OPENAT2), base, os.fsencode(path), how, ctypes.c_size_t(len(how)))
    if result >= 0:
        return int(result)
    number = ctypes.get_errno()
    if number == errno.ENOSYS:
        return None
    raise OSError(number, os.strerror(number))
