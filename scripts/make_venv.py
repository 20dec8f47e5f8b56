"""Makes or mends the virtual environment of a checkout. Started by `make-venv`, with the standard library alone.

    make_venv.py ROOT run|test

`.venv` counts as whole only while its stamps say so: `homeport-root` holds the folder that it was made for and
`homeport-run.txt`, `homeport-test.txt` are copies of the requirements that were installed. A stamp is taken away before
anything is installed and put back, by rename(2), after everything was: an interrupted set-up is taken up by the next
run. A lock lets two first runs go one after the other; the kernel drops it with its holder.

The project itself is put on the path by a one-line `.pth` file, which is what an editable install comes down to: no
build backend is needed on a user's machine.
"""

from __future__ import annotations

import fcntl
import filecmp
import os
import shutil
import subprocess
import sys
from contextlib import suppress


class SetupError(Exception):
    """The environment cannot be made; the text says why."""


class Environment:
    """The `.venv` of the checkout at `root`, for `purpose` "run" or "test"."""

    def __init__(self, root: str, purpose: str) -> None:
        self.root = root
        self.folder = os.path.join(root, ".venv")
        self.python = os.path.join(self.folder, "bin", "python")
        self.root_stamp = os.path.join(self.folder, "homeport-root")
        self.names = ["run.txt"] if purpose == "run" else ["run.txt", "test.txt"]

    def requirements(self, name: str) -> str:
        """The path of a requirements file."""
        return os.path.join(self.root, "requirements", name)

    def stamp(self, name: str) -> str:
        """The path of the copy that says that a requirements file was installed."""
        return os.path.join(self.folder, f"homeport-{name}")

    def made_for(self) -> str | None:
        """The root that the environment was made for; None: not known, or never finished."""
        try:
            with open(self.root_stamp, "rb") as file:
                return os.fsdecode(file.read()).rstrip("\n")
        except FileNotFoundError:  # that is the answer
            return None

    def is_fresh(self) -> bool:
        """Whether everything that is wanted was installed, here."""
        try:
            return (
                self.made_for() == self.root
                and os.access(self.python, os.X_OK)
                and all(filecmp.cmp(self.requirements(n), self.stamp(n), shallow=False) for n in self.names)
            )
        except FileNotFoundError:  # no stamp: not fresh
            return False

    def works(self) -> bool:
        """Whether there is an environment that can be mended, rather than made anew."""
        if self.made_for() not in (None, self.root):
            return False
        code = "import sys, pip; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
        try:
            return subprocess.run([self.python, "-I", "-c", code], capture_output=True, check=False).returncode == 0
        except OSError:  # there is none, or its Python is gone
            return False

    def make(self) -> None:
        """Make or mend it. Raises SetupError, OSError."""
        if not self.works():
            say(f"making .venv with Python {sys.version.split()[0]}")
            if os.path.lexists(self.folder):
                shutil.rmtree(self.folder)
            # The resolved name carries the version (python3.11), so that a later python3 does not slip in below it.
            run([os.path.realpath(sys.executable), "-I", "-m", "venv", self.folder], "making .venv")
        for name in self.names:
            with suppress(FileNotFoundError):  # nothing to take away
                os.unlink(self.stamp(name))
        say("installing the pinned packages")
        files = [word for name in self.names for word in ("-r", self.requirements(name))]
        self.pip("install", "--require-hashes", "--no-deps", *files)
        # Python 3.11 brings setuptools along, whose .pth file costs every start of the interpreter a millisecond.
        self.pip("uninstall", "--yes", "setuptools")
        self.link_project()
        for name in self.names:
            with open(self.requirements(name), "rb") as file:
                write(self.stamp(name), file.read())
        write(self.root_stamp, os.fsencode(self.root) + b"\n")

    def pip(self, verb: str, *words: str) -> None:
        """Run pip, which says nothing but errors."""
        command = [self.python, "-I", "-m", "pip", verb, "-qq", "--disable-pip-version-check", "--no-input"]
        run([*command, *words], f"pip {verb}")

    def link_project(self) -> None:
        """Put src on the module path, as a path relative to site-packages: plain ASCII wherever the checkout lies."""
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        answer = run([self.python, "-I", "-X", "utf8", "-c", code], "asking .venv for its folders", capture=True)
        packages = os.fsdecode(answer.rstrip(b"\n"))
        relative = os.path.relpath(os.path.join(self.root, "src"), packages)
        write(os.path.join(packages, "homeport-src.pth"), relative.encode("ascii") + b"\n")


def say(text: str) -> None:
    """A line about the set-up, where it disturbs no answer."""
    print(f"homeport: set-up: {text} …", file=sys.stderr, flush=True)


def run(command: list[str], what: str, *, capture: bool = False) -> bytes:
    """Run a command with its output on standard error, or captured. Raises SetupError if it fails."""
    environment = os.environ | {"PIP_USER": "0"}  # a user's `user = true` makes no sense in an environment
    output = subprocess.PIPE if capture else sys.stderr
    result = subprocess.run(command, stdout=output, stdin=subprocess.DEVNULL, env=environment, check=False)
    if result.returncode != 0:
        raise SetupError(f"{what} ended with status {result.returncode}")
    return result.stdout if capture else b""


def write(path: str, content: bytes) -> None:
    """Write a file in one step."""
    with open(path + ".new", "wb") as file:
        file.write(content)
    os.replace(path + ".new", path)


def locked(root: str) -> int:
    """The descriptor of the lock of this checkout, held until the process ends."""
    lock = os.open(os.path.join(root, ".venv.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another set-up of this checkout")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main() -> int:
    """Make sure of the environment; 0 when it is whole."""
    _, root, purpose = sys.argv
    environment = Environment(root, purpose)
    try:
        locked(root)
        if not environment.is_fresh():
            environment.make()
    except (OSError, SetupError) as error:
        print(f"homeport: cannot make {environment.folder}: {error}", file=sys.stderr)
        if isinstance(error, PermissionError):
            print("run this once as the user whom the checkout belongs to", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
