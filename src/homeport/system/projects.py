"""The project around a working folder: the nearest marker on the way up, its name, branch and framework.

It reads names of folders, at most one manifest of each kind (256 KiB), `.git`, `HEAD` and `.hg/branch`; it starts
nothing, follows only git's own pointer of a worktree, and never waits for a file server for longer than half a second.
"""

from __future__ import annotations

import os

from homeport.lean import TYPE_CHECKING, NamedTuple
from homeport.model.owners import Process, Project
from homeport.rules import projects as rules
from homeport.system import procfs
from homeport.system.files import read_regular_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

_MOST = 256 * 1024
_SHORT = 4096
_ENTRIES = 4096
_LEVELS = 64
_PATIENCE = 0.5
_FAR = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "afs", "glusterfs", "lustre", "fuse.sshfs", "autofs"))
"""File systems whose server may be away, so that every call on them may hang."""


class Repository(NamedTuple):
    """The version control of a folder: its branch, and whether it is a linked git worktree."""

    branch: str | None
    worktree: bool


class Projects:
    """Answers for one look; every folder is looked at once."""

    def __init__(self) -> None:
        self._home = os.environ.get("HOME", "").rstrip("/") or None
        self._known: dict[str, Project | None] = {}
        self._markers: dict[str, tuple[str, ...]] = {}
        self._repositories: dict[str, Repository | None] = {}
        self._namespace = procfs.read_link("/proc/self/ns/mnt")
        self._far: tuple[str, ...] | None = None
        self._gone: set[str] = set()

    def of(self, folder: str) -> Project | None:
        """The project that a folder of this machine is in; None where there is none or it may not be read."""
        if not folder.startswith("/") or "\0" in folder:
            return None
        if folder in self._known:
            return self._known[folder]
        mount = self._server(folder)
        if mount is None:
            return self._climb(rules.start(folder))
        return self._patiently(mount, lambda: self._climb(rules.start(folder)))

    def of_process(self, process: Process) -> Project | None:
        """The project of a process's working folder, unless that folder is not the one of that name here.

        A contained or chrooted process has folders of its own: what its path names on this side is somebody else's.
        """
        folder = process.cwd
        found = self.of(folder) if folder is not None else None
        if folder is None or found is None or self._namespace is None:  # None: a system without namespaces
            return found
        ours = process.mount_namespace is not None and process.mount_namespace == self._namespace
        if ours and procfs.read_link(f"/proc/{process.pid}/root") == "/":
            return found
        mount = self._server(folder)
        if mount is None:
            return found if _same_folder(process.pid, folder) else None
        return found if self._patiently(mount, lambda: _same_folder(process.pid, folder)) else None

    def _climb(self, folder: str) -> Project | None:
        passed: list[str] = []
        found: Project | None = None
        while len(passed) < _LEVELS:
            if folder in self._known:
                found = self._known[folder]
                break
            passed.append(folder)
            if rules.is_wide(folder, self._home):
                break
            found = self._at(folder)
            if found is not None:
                break
            folder = folder.rpartition("/")[0] or "/"
        for below in passed:
            self._known[below] = found
        return found

    def _at(self, folder: str) -> Project | None:
        """The project whose root is exactly this folder."""
        marker, name, manifests = None, None, []
        for candidate in rules.order(self._markers_in(folder)):
            if candidate in rules.VERSION_CONTROL:
                if marker is None and _is_repository(folder, candidate):
                    marker = candidate
                continue
            text = read_regular_text(f"{folder}/{candidate}", _MOST)
            if text is None and not os.path.isfile(f"{folder}/{candidate}"):
                continue
            manifest = rules.read(candidate, text or "")
            if manifest.counts:
                manifests.append(manifest)
                name = name or manifest.name
                marker = marker or candidate
        if marker is None:
            return None
        repository = self._repository(folder)
        return Project(
            name=name or folder.rpartition("/")[2],
            root=folder,
            marker=marker,
            branch=repository.branch if repository else None,
            worktree=repository is not None and repository.worktree,
            framework=rules.framework_of(manifests),
        )

    def _markers_in(self, folder: str) -> tuple[str, ...]:
        if folder not in self._markers:
            self._markers[folder] = _markers_in(folder)
        return self._markers[folder]

    def _repository(self, folder: str) -> Repository | None:
        """The version control around a project: its own, or that of the repository that it is a part of."""
        passed: list[str] = []
        found = None
        while len(passed) < _LEVELS:
            if folder in self._repositories:
                found = self._repositories[folder]
                break
            passed.append(folder)
            if rules.is_wide(folder, self._home):
                break
            here = [name for name in rules.VERSION_CONTROL if name in self._markers_in(folder)]
            found = next((one for name in here if (one := _repository_at(folder, name)) is not None), None)
            if found is not None:
                break
            folder = folder.rpartition("/")[0] or "/"
        for below in passed:
            self._repositories[below] = found
        return found

    def _server(self, folder: str) -> str | None:
        """The mount point of a remote file system that a folder is on."""
        if self._far is None:
            self._far = _far_mounts(procfs.read_text("/proc/self/mountinfo") or "")
        return next((point for point in self._far if folder == point or folder.startswith(point + "/")), None)

    def _patiently(self, mount: str, action: Callable[[], T | None]) -> T | None:
        """`action` by a thread that may be left behind: a file server that is away makes every call hang."""
        if mount in self._gone:
            return None
        import threading

        answers: list[T | None] = []
        thread = threading.Thread(target=lambda: answers.append(action()), name="homeport-far-folder", daemon=True)
        thread.start()
        thread.join(_PATIENCE)
        if not answers:
            self._gone.add(mount)
            return None
        return answers[0]


def _same_folder(pid: int, folder: str) -> bool:
    try:
        theirs, ours = os.stat(f"/proc/{pid}/cwd"), os.stat(folder)
    except OSError:  # ended, not ours to read, or no such folder here: then it is not known to be the same
        return False
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)


def _markers_in(folder: str) -> tuple[str, ...]:
    """The markers in a folder. A huge one is asked for the well-known names instead of being listed to its end."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for seen, entry in enumerate(entries):
                if seen == _ENTRIES:
                    known = (*rules.MANIFESTS, *rules.VERSION_CONTROL)
                    return tuple(name for name in known if os.path.lexists(f"{folder}/{name}"))
                if rules.is_marker(entry.name):
                    found.append(entry.name)
    except OSError:  # gone, or closed to the caller: no project can be known of
        return ()
    return tuple(found)


def _is_repository(folder: str, name: str) -> bool:
    """A `.git` without a HEAD is a stray folder; the others are what their name says."""
    if name == ".git":
        return _git_folder(folder) is not None
    return os.path.isdir(f"{folder}/{name}")


def _git_folder(folder: str) -> str | None:
    """Where a working tree's repository is (gitrepository-layout(5)): `.git`, or where the file `.git` points."""
    path = f"{folder}/.git"
    if not os.path.isdir(path):
        text = read_regular_text(path, _SHORT)
        if text is None or not text.startswith("gitdir:"):
            return None
        path = os.path.join(folder, text[7:].strip("\n").strip())
    return path if "\0" not in path and os.path.lexists(f"{path}/HEAD") else None


def _repository_at(folder: str, name: str) -> Repository | None:
    if name == ".git":
        path = _git_folder(folder)
        if path is None:
            return None
        target = procfs.read_link(f"{path}/HEAD")  # git of old made it a link to the branch
        head = f"ref: {target}" if target is not None else read_regular_text(f"{path}/HEAD", _SHORT)
        branch = None if head is None else rules.branch_of_head(head)
        return Repository(branch, os.path.isfile(f"{path}/commondir"))
    if not os.path.isdir(f"{folder}/{name}"):
        return None
    if name == ".hg":
        text = read_regular_text(f"{folder}/.hg/branch", _SHORT)
        return Repository((text or "").strip() or "default", False)
    return Repository(None, False)


def _far_mounts(mountinfo: str) -> tuple[str, ...]:
    """Mount points of remote file systems, deepest first (proc_pid_mountinfo(5))."""
    points = []
    for line in mountinfo.split("\n"):
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after.split(" ")[0] in _FAR:
            point = fields[4]
            for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
                point = point.replace(code, char)
            points.append(point.rstrip("/"))
    return tuple(sorted(points, key=len, reverse=True))
