"""A container's published port and its own listener."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
Page = Callable[..., dict[str, Any]]
PODMAN = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")


def podman(*words: str) -> str:
    done = subprocess.run([*PODMAN, *words], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def web(
    tmp_path_factory: pytest.TempPathFactory, module_port: int, wait_for: Callable[[int], None]
) -> Iterator[tuple[str, str, int]]:
    """Name, image and host port of a container whose port 80 is published on 127.0.0.1."""
    folder = tmp_path_factory.mktemp("image")
    for name in ("bin", "www", "tmp", "etc"):
        (folder / "root" / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", folder / "root" / "bin" / "busybox")
    (folder / "root" / "www" / "index.html").write_text("hello\n")
    subprocess.run(["tar", "-C", folder / "root", "-cf", folder / "root.tar", "."], check=True)
    name = f"hp-acceptance-{os.getpid()}"
    image = f"localhost/{name}:1"
    port = module_port
    try:
        podman("import", str(folder / "root.tar"), image)
        podman(
            "run", "-d", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--name", name,
            "-p", f"127.0.0.1:{port}:80", image, "/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/www",
        )  # fmt: skip
        wait_for(port)
        yield name, image, port
    finally:
        subprocess.run([*PODMAN, "rm", "-f", "-t", "0", name], capture_output=True, check=False, timeout=120)
        subprocess.run([*PODMAN, "rmi", "-f", image], capture_output=True, check=False, timeout=120)


def test_the_page_of_the_published_port_names_the_container(web: tuple[str, str, int], page: Page) -> None:
    name, image, port = web
    answer = page(f"127.0.0.1:{port}")
    behind = [container for one in answer["listeners"] for container in (way["container"] for way in one["leads_to"])]
    assert {container["name"] for container in behind} == {name}
    assert {container["image"] for container in behind} == {image}
    text = subprocess.run(
        [ROOT / "scripts" / "homeport", f"127.0.0.1:{port}"], capture_output=True, text=True, check=False
    ).stdout
    assert name in text
    assert image in text


def test_the_page_of_its_own_listener_says_who_can_reach_it(web: tuple[str, str, int], page: Page) -> None:
    name, _, port = web
    answer = page("80")
    (own,) = [
        one
        for one in answer["listeners"]
        if any(owner["container"] and owner["container"]["name"] == name for owner in one["owners"])
    ]
    assert own["netns"] != os.stat("/proc/self/ns/net").st_ino
    assert [(way["host_address"], way["host_port"]) for way in own["published"]] == [("127.0.0.1", port)]
    text = subprocess.run([ROOT / "scripts" / "homeport", "80"], capture_output=True, text=True, check=False).stdout
    assert f"127.0.0.1:{port}" in text


def test_the_list_names_the_container(web: tuple[str, str, int]) -> None:
    name, _, port = web
    done = subprocess.run(
        [ROOT / "scripts" / "homeport", "ls", "--container", name, "--json"], capture_output=True, text=True, check=True
    )
    # its own listener, and the one that is published for it
    assert {row["port"] for row in json.loads(done.stdout)["listeners"]} == {80, port}
