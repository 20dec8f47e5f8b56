"""Containers: by the file of their monitor, by their engine, and by a file inside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.acceptance.logs.asking import (
    PODMAN,
    Follower,
    Wait,
    get,
    logs,
    sources,
    until,
)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A busybox image whose server writes a line for each request."""
    folder = tmp_path_factory.mktemp("image")
    for name in ("bin", "www", "tmp", "etc"):
        (folder / "root" / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", folder / "root" / "bin" / "busybox")
    (folder / "root" / "www" / "index.html").write_text("hello\n")
    subprocess.run(["tar", "-C", folder / "root", "-cf", folder / "root.tar", "."], check=True)
    name = f"localhost/hp-logs-{os.getpid()}:1"
    subprocess.run([*PODMAN, "import", folder / "root.tar", name], check=True, capture_output=True)
    yield name
    subprocess.run([*PODMAN, "rmi", "-f", name], capture_output=True, check=False)


@pytest.fixture
def container(image: str, port: int, wait_for: Wait) -> Iterator[Callable[..., str]]:
    """`container("--log-driver", "k8s-file")`: the name of a container that serves on the port."""
    name = f"hp-logs-{os.getpid()}"

    def run(*options: str) -> str:
        command = [
            *PODMAN, "run", "-d", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--name", name,
            *options, "--network", "host", image,
            "/bin/busybox", "httpd", "-f", "-vv", "-p", f"127.0.0.1:{port}", "-h", "/www",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        wait_for(port)
        return name

    yield run
    subprocess.run([*PODMAN, "rm", "-f", "-t", "0", name], capture_output=True, check=False)


def test_a_container_by_the_file_that_its_monitor_writes(
    container: Callable[..., str], port: int, follow: Callable[..., Follower]
) -> None:
    name = container("--log-driver", "k8s-file", "--log-opt", "max-size=4kb")
    get(port, "/here")
    found = sources(port)
    assert "container" in [each["kind"] for each in found.values()], found
    (one,) = [each for each in found.values() if each["kind"] == "container"]
    assert one["readable"] is True
    assert "ctr.log" in json.dumps(one["evidence"])
    assert name in one["label"] or one["label"] in json.dumps(one["evidence"])
    until(lambda: "url:/here" in logs(port).stdout, "the request in the container's log")
    (line, *_) = json.loads(logs(port, "--grep", "url:/here", "--json").stdout)["lines"]
    assert line["time"] is not None and line["stream"] in ("stdout", "stderr")
    follower = follow(port, "-n", 0)
    follower.says("logs")
    for number in range(120):
        get(port, f"/later-{number}-")
        follower.sees(f"url:/later-{number}-")
        if any("was replaced" in line or "was truncated" in line for line in follower.errors) and number > 60:
            break
    else:
        pytest.fail("the log was never rotated")
    assert all(follower.count(f"url:/later-{each}-") == 1 for each in range(number + 1))
    assert follower.end() == 130


def test_a_log_inside_of_a_container_is_read_through_its_root(container: Callable[..., str], port: int) -> None:
    script = f"exec >/tmp/inside.log 2>&1; echo 2026-11-23T05:54:25Z ERROR inside; exec httpd -f -p 127.0.0.1:{port}"
    container("--entrypoint", '["/bin/busybox", "sh", "-c", "' + script + '"]')
    found = sources(port)
    assert found["inside.log"]["what"] == "/tmp/inside.log"
    assert "ERROR inside" in logs(port).stdout


def test_a_container_by_its_engine(
    container: Callable[..., str], port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    """The engine's files are hidden from homeport, as they are from a user who may only use its socket."""
    socket = tmp_path / "engine.sock"
    command = [*PODMAN, "system", "service", "--time=0", f"unix://{socket}"]
    service = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(socket.exists, "the engine")
        name = container("--log-driver", "k8s-file", "--log-opt", f"path={tmp_path}/elsewhere.log")
        get(port, "/asked")
        environment = {"DOCKER_HOST": f"unix://{socket}"}
        hide = ("unshare", "--mount", "sh", "-c", f'mount --bind /dev/null {tmp_path}/elsewhere.log && exec "$0" "$@"')
        found = {
            one["kind"]: one for one in json.loads(logs(port, "--json", env=environment, before=hide).stdout)["sources"]
        }
        assert (found["container"]["label"], found["container"]["readable"]) == (name, True)
        assert "GET /containers/" in json.dumps(found["container"]["evidence"])
        until(lambda: "url:/asked" in logs(port, env=environment, before=hide).stdout, "the request")
        follower = follow(port, "-n", 0, env=environment, before=hide)
        follower.says("logs")
        get(port, "/more")
        follower.sees("url:/more")
        assert follower.count("url:/asked") == 0
        assert follower.end() == 130
    finally:
        service.kill()
        service.wait()
