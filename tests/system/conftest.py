"""Real containers for the tests of what touches the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PODMAN = ["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"]


class Podman:
    """Containers of a busybox image, named after this test run, and removed after it."""

    def __init__(self, folder: Path) -> None:
        self.prefix = f"hp-owners-{os.getpid()}"
        self.image = f"localhost/{self.prefix}:1"
        self.folder = folder
        self._names: list[str] = []

    def make_image(self) -> None:
        root = self.folder / "root"
        for name in ("bin", "tmp", "etc", "www"):
            (root / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin" / "busybox")
        for name in ("sh", "httpd", "sleep", "cat"):
            (root / "bin" / name).symlink_to("busybox")
        (root / "www" / "index.html").write_text("hello\n")
        archive = self.folder / "root.tar"
        subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
        self.podman("import", str(archive), self.image)

    def podman(self, *words: str) -> str:
        done = subprocess.run([*PODMAN, *words], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, name: str, *options: str, command: tuple[str, ...] = ("sleep", "1000")) -> str:
        """Start a container; its full id."""
        full = f"{self.prefix}-{name}"
        self._names.append(full)
        return self.podman("run", "-d", *LIMITS, "--name", full, *options, self.image, *command)

    def pid(self, identity: str) -> int:
        return int(self.podman("inspect", "-f", "{{.State.Pid}}", identity))

    def close(self) -> None:
        for name in self._names:
            subprocess.run([*PODMAN, "rm", "-f", "-t", "0", name], capture_output=True, check=False, timeout=120)
        subprocess.run([*PODMAN, "rmi", "-f", self.image], capture_output=True, check=False, timeout=120)


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """The engine, with an image of busybox."""
    engine = Podman(tmp_path_factory.mktemp("podman"))
    try:
        engine.make_image()
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="session")
def podman_socket(podman: Podman) -> Iterator[str]:
    """The path of the socket of a real `podman system service`."""
    path = podman.folder / "api.sock"
    command = [*PODMAN, "system", "service", "--time=0", f"unix://{path}"]
    service = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not path.exists():
            assert service.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield str(path)
    finally:
        service.kill()
        service.wait()
