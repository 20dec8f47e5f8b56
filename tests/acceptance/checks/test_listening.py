"""What listens: nothing, something else, or somewhere else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.checks.cases import case
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import (
    BOTH,
    Namespace,
    address_of,
    commands,
    free_ports,
    has_port,
    namespace,
    running,
    serving,
    tool,
    wait_until,
    with_hosts,
)  # fmt: skip

Diagnosis = dict[str, Any]
PODMAN = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")
QUICK = ("--timeout", "2")


@pytest.fixture
def here() -> int:
    """A port that nothing has."""
    return free_ports(1)[0]


# nothing


@case("nothing-listens", "a port that nobody has, and nobody was told")
def test_an_empty_port(check: Check, here: int) -> Diagnosis:
    found = check(f"127.0.0.1:{here}", *QUICK)
    assert found["fault"] == "server"
    assert found["confidence"] == "certain"
    return found


@case("nothing-listens", "a port with a digit that is mistyped", near="ok", cured=True)
def test_a_mistyped_port(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    typed = here + 1 if here % 10 < 9 else here - 1
    with serving("127.0.0.1", here):
        found = check(f"http://localhost:{typed}/cart", *QUICK)
        meant = [one for one in commands(found, "homeport check ") if f":{here}/" in one]
        return found, check(*meant[0].split()[2:])


@case("nothing-listens", "localhost, where neither family has the port")
def test_an_empty_port_by_name(check: Check, here: int) -> Diagnosis:
    found = check(f"http://localhost:{here}/cart", *QUICK)
    assert found["asked"] == f"http://localhost:{here}/cart"
    return found


@case("nothing-listens", "a program that was told the port an hour ago and never listened", near="starting")
def test_told_long_ago(check: Check, here: int) -> Diagnosis:
    # a process of this machine that is older than any start-up takes: the test run cannot wait an hour for one
    with serving("127.0.0.1", free_ports(2)[1]) as pid:
        found = check(f"127.0.0.1:{here}", *QUICK, env={"PORT": str(here)})
    assert str(pid) not in found["cause"]
    return found


@case("nothing-listens", "a client that waits for the port, and is no server", near="starting")
def test_a_client_of_the_port(check: Check, here: int) -> Diagnosis:
    words = ("--retry", "1000", "--retry-delay", "1", "--retry-connrefused")
    with running(tool("curl"), "-s", *words, f"http://127.0.0.1:{here}/"):
        return check(f"127.0.0.1:{here}", *QUICK)


@case("nothing-listens", "a socket that is bound to the port, and does not listen")
def test_bound_only(check: Check, here: int) -> Diagnosis:
    with socket.socket() as one:
        one.bind(("127.0.0.1", here))
        return check(f"127.0.0.1:{here}", *QUICK)


@case("nothing-listens", "a connected client whose own port is the asked one", near="ok")
def test_the_port_of_a_client(check: Check) -> Diagnosis:
    server, client = free_ports(2)
    with serving("127.0.0.1", server, "mute"), socket.socket() as one:
        one.bind(("127.0.0.1", client))
        one.connect(("127.0.0.1", server))
        return check(f"127.0.0.1:{client}", *QUICK)


# ok


@case("ok", "a server on 127.0.0.1 that answers HTTP")
def test_http(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here):
        found = check(f"http://127.0.0.1:{here}/")
    assert found["fault"] == "nobody"
    assert found["remedies"] == []
    return found


@case("ok", "a server on [::] that takes IPv4 too, asked on 127.0.0.1", near="other-family")
def test_dual_stack(check: Check, here: int) -> Diagnosis:
    with serving("::", here):
        return check(f"http://127.0.0.1:{here}/")


@case("ok", "a server on 127.0.0.1, asked by localhost whose ::1 is tried first", near="other-family")
def test_localhost_falls_back(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    with serving("127.0.0.1", here):
        found = check(f"http://localhost:{here}/", prefix=with_hosts(tmp_path, BOTH))
    assert [one["detail"].split(": ")[0] for one in found["observations"] if one["layer"] == "connect"] == [
        f"[::1]:{here}", f"127.0.0.1:{here}",
    ]  # fmt: skip
    return found


@case("ok", "a server on 0.0.0.0, asked on 127.9.9.9", near="other-address")
def test_any_loopback_address(check: Check, here: int) -> Diagnosis:
    with serving("0.0.0.0", here):
        return check(f"http://127.9.9.9:{here}/")


@case("ok", "Python's http.server, asked by its port alone")
def test_python(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    with running(sys.executable, "-m", "http.server", str(here), cwd=tmp_path) as one:
        wait_until(lambda: has_port(one.pid, here), "Python's http.server")
        return check(str(here))


@case("ok", "a server that speaks first")
def test_greeting(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "greet"):
        return check(f"127.0.0.1:{here}")


# the other family


@case("other-family", "a server on [::1], asked on 127.0.0.1", cured=True)
def test_six_alone(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with serving("::1", here):
        found = check(f"http://127.0.0.1:{here}/")
        assert found["fault"] == "client"
        assert f"[::1]:{here}" in found["cause"]
        return found, check(address_of(found))


@case("other-family", "a server on 127.0.0.1, asked on [::1]", cured=True)
def test_four_alone(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with serving("127.0.0.1", here):
        found = check(f"http://[::1]:{here}/")
        return found, check(address_of(found))


@case("other-family", "a server on [::] with IPV6_V6ONLY, asked on 127.0.0.1", cured=True)
def test_v6only(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with serving("::", here, "http", "v6only"):
        found = check(f"http://127.0.0.1:{here}/")
        return found, check(address_of(found))


@case("other-family", "a Node server on localhost, which took ::1, asked on 127.0.0.1", cured=True)
def test_node_on_six(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    program = tmp_path / "server.js"
    program.write_text(f"require('http').createServer((_, answer) => answer.end('hi')).listen({here}, '::1')\n")
    with running(tool("node"), program) as one:
        wait_until(lambda: has_port(one.pid, here), "node")
        found = check(f"http://127.0.0.1:{here}/")
        assert "node server.js" in found["cause"]
        return found, check(address_of(found))


@case("other-family", "a server on [::1] of a namespace, asked on 127.0.0.1 with --from", cured=True)
def test_other_family_from_outside(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with namespace() as there, serving("::1", here, prefix=there.prefix):
        found = check(f"http://127.0.0.1:{here}/", "--from", there.name)
        return found, check(*commands(found, "homeport check ")[0].split()[2:])


# another address


@case("other-address", "a server on 127.0.0.2, asked on 127.0.0.1", cured=True)
def test_one_loopback_address(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with serving("127.0.0.2", here):
        found = check(f"http://127.0.0.1:{here}/")
        assert found["confidence"] == "certain"
        return found, check(address_of(found))


@case("other-address", "a server on the address of an interface alone, asked on 127.0.0.1", cured=True)
def test_address_of_an_interface(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with namespace() as there:
        there.run("ip", "link", "add", "hp0", "type", "veth", "peer", "name", "hp1")
        there.run("ip", "address", "add", "10.83.7.1/24", "dev", "hp0")
        there.run("ip", "link", "set", "hp0", "up")
        with serving("10.83.7.1", here, prefix=there.prefix):
            found = check(f"http://127.0.0.1:{here}/", prefix=there.prefix)
            return found, check(address_of(found), prefix=there.prefix)


@case("other-address", "a server on ::1 and an IPv4 address of an interface, asked on that interface's other address")
def test_second_address(check: Check, here: int) -> Diagnosis:
    with namespace() as there:
        there.run("ip", "link", "add", "hp0", "type", "veth", "peer", "name", "hp1")
        there.run("ip", "address", "add", "10.83.7.1/24", "dev", "hp0")
        there.run("ip", "address", "add", "10.83.7.2/24", "dev", "hp0")
        there.run("ip", "link", "set", "hp0", "up")
        with serving("10.83.7.1", here, prefix=there.prefix), serving("::1", here, prefix=there.prefix):
            found = check(f"10.83.7.2:{here}", *QUICK, prefix=there.prefix)
        assert address_of(found) == f"10.83.7.1:{here}"
        return found


@case("other-address", "a server bound to an interface by SO_BINDTODEVICE, asked on 127.0.0.1")
def test_bound_to_a_device(check: Check, here: int) -> Diagnosis:
    with namespace() as there:
        there.run("ip", "link", "add", "hp0", "type", "veth", "peer", "name", "hp1")
        there.run("ip", "address", "add", "10.83.7.1/24", "dev", "hp0")
        there.run("ip", "link", "set", "hp0", "up")
        with serving("0.0.0.0", here, "http", "device=hp0", prefix=there.prefix):
            found = check(f"127.0.0.1:{here}", *QUICK, prefix=there.prefix)
        assert "hp0" in found["cause"]
        assert [one["text"] for one in found["remedies"] if one["kind"] == "command"] == [f"homeport reach :{here}"]
        return found


# another port


@case("other-port", "the caller's project serves on another port", cured=True)
def test_the_projects_server(check: Check, project: Path) -> tuple[Diagnosis, Diagnosis]:
    asked, real = free_ports(2)
    with serving("127.0.0.1", real, cwd=project):
        found = check(f"http://127.0.0.1:{asked}/", *QUICK, cwd=project)
        assert str(real) in found["cause"]
        return found, check(address_of(found), cwd=project)


@case("nothing-listens", "the project serves on another port, and the caller stands elsewhere", near="other-port")
def test_somebody_elses_server(check: Check, project: Path, tmp_path: Path) -> Diagnosis:
    asked, real = free_ports(2)
    with serving("127.0.0.1", real, cwd=project):
        return check(f"http://127.0.0.1:{asked}/", *QUICK, cwd=tmp_path)


@case("other-port", "a Node server that was told PORT, and took the next one since that was taken then", cured=True)
def test_the_next_port(check: Check, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    asked, real = free_ports(2)
    program = tmp_path / "next.js"
    program.write_text(
        f"require('http').createServer((_, answer) => answer.end('hi')).listen({real}, '127.0.0.1') // PORT was taken\n"
    )
    with running(tool("node"), program, env={"PORT": str(asked)}) as one:
        wait_until(lambda: has_port(one.pid, real), "node")
        found = check(f"http://127.0.0.1:{asked}/", *QUICK)
        assert found["fault"] == "server"
        assert f"PORT={asked}" in str(found["evidence"])
        return found, check(address_of(found))


# the other transport protocol


@case("other-protocol", "a socket of UDP alone, asked over TCP")
def test_udp_alone(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "http", "udp"):
        return check(f"http://127.0.0.1:{here}/", *QUICK)


@case("other-protocol", "a server of TCP alone, asked over UDP", cured=True)
def test_tcp_alone(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with serving("127.0.0.1", here):
        found = check(f"127.0.0.1:{here}/udp", *QUICK)
        return found, check(address_of(found))


@case("ok", "a socket of UDP alone, asked by its port alone", near="other-protocol")
def test_udp_is_meant(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "http", "udp"):
        return check(f"127.0.0.1:{here}", *QUICK)


# another network namespace


@pytest.fixture(scope="module")
def apart() -> Iterator[tuple[Namespace, int]]:
    """A namespace in which a server listens on 127.0.0.1 and a port that nobody has outside."""
    port = free_ports(1)[0]
    with namespace() as there, serving("127.0.0.1", port, prefix=there.prefix):
        yield there, port


@case("other-namespace", "a server in a named network namespace, asked from outside", cured=True)
def test_in_a_namespace(check: Check, apart: tuple[Namespace, int]) -> tuple[Diagnosis, Diagnosis]:
    there, port = apart
    found = check(f"127.0.0.1:{port}", *QUICK)
    assert there.name in found["cause"]
    (command,) = commands(found, "homeport check ")
    words = command.split()
    return found, check(words[2], *words[3:])


@case("other-namespace", "a server in a namespace without a name, asked from outside", cured=True)
def test_in_a_nameless_namespace(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with serving("127.0.0.1", here, prefix=("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")):
        found = check(f"127.0.0.1:{here}", *QUICK)
        (command,) = commands(found, "homeport check ")
        words = command.split()
        return found, check(words[2], *words[3:])


@case("ok", "the same, asked from there by the namespace's name", near="other-namespace")
def test_from_a_namespace(check: Check, apart: tuple[Namespace, int]) -> Diagnosis:
    there, port = apart
    return check(f"http://127.0.0.1:{port}/", "--from", there.name)


@case("ok", "the same, asked from there by the pid of a process in it", near="other-namespace")
def test_from_a_process(check: Check, apart: tuple[Namespace, int]) -> Diagnosis:
    there, port = apart
    pid = subprocess.run(
        ["ip", "netns", "pids", there.name], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    return check(f"http://127.0.0.1:{port}/", "--from", pid)


@case("other-namespace", "a server outside, asked from inside of a namespace")
def test_from_within(check: Check, apart: tuple[Namespace, int], here: int) -> Diagnosis:
    there, _ = apart
    with serving("127.0.0.1", here):
        return check(f"127.0.0.1:{here}", *QUICK, prefix=there.prefix)


@case("nothing-listens", "a port that nobody has, asked from a namespace", near="loopback-down")
def test_nothing_in_a_namespace(check: Check, apart: tuple[Namespace, int], here: int) -> Diagnosis:
    there, _ = apart
    return check(f"127.0.0.1:{here}", *QUICK, "--from", there.name)


# containers


class Containers:
    """Containers of busybox, removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.name = f"hp-check-{os.getpid()}"
        self.image = f"localhost/{self.name}:1"
        root = folder / "root"
        for each in ("bin", "www", "tmp", "etc"):
            (root / each).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin" / "busybox")
        (root / "www" / "index.html").write_text("hello\n")
        subprocess.run(["tar", "-C", root, "-cf", folder / "root.tar", "."], check=True)
        self.podman("import", str(folder / "root.tar"), self.image)
        self._names: list[str] = []

    def podman(self, *words: str) -> str:
        done = subprocess.run([*PODMAN, *words], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, name: str, *options: str, command: tuple[str, ...]) -> tuple[str, int]:
        """Its name and pid."""
        full = f"{self.name}-{name}"
        self._names.append(full)
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
        self.podman("run", "-d", *limits, "--name", full, *options, self.image, "/bin/busybox", *command)
        return full, int(self.podman("inspect", "-f", "{{.State.Pid}}", full))

    def address(self, name: str) -> str:
        """The one that it has in its network."""
        return self.podman("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name)

    def close(self) -> None:
        for name in self._names:
            subprocess.run([*PODMAN, "rm", "-f", "-t", "0", name], capture_output=True, check=False, timeout=120)
        subprocess.run([*PODMAN, "rmi", "-f", self.image], capture_output=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    found = Containers(tmp_path_factory.mktemp("containers"))
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def unpublished(containers: Containers) -> tuple[str, int]:
    """A container whose server no port of the machine leads to: its name and port."""
    port = free_ports(1)[0]
    name, pid = containers.run("unpublished", command=("httpd", "-f", "-p", str(port), "-h", "/www"))
    wait_until(lambda: has_port(pid, port), "httpd")
    return name, port


@pytest.fixture(scope="module")
def published(containers: Containers) -> tuple[str, int, int]:
    """A container whose port is published as another one: its name, the port inside and that of the machine."""
    inside, outside = free_ports(2)
    name, pid = containers.run(
        "published", "-p", f"127.0.0.1:{outside}:{inside}", command=("httpd", "-f", "-p", str(inside), "-h", "/www")
    )
    wait_until(lambda: has_port(pid, inside), "httpd")
    return name, inside, outside


@case("not-published", "a container's server whose port is not published", cured=True)
def test_unpublished(check: Check, unpublished: tuple[str, int]) -> tuple[Diagnosis, Diagnosis]:
    name, port = unpublished
    found = check(f"http://127.0.0.1:{port}/", *QUICK)
    assert name in found["cause"]
    assert f"-p 127.0.0.1:{port}:{port}" in found["remedies"][0]["text"]
    (command,) = commands(found, "homeport check ")
    words = command.split()
    return found, check(words[2], *words[3:])


@case("not-published", "a container's server on the container's own loopback, not published")
def test_unpublished_loopback(check: Check, containers: Containers, here: int) -> Diagnosis:
    _, pid = containers.run("own-loopback", command=("httpd", "-f", "-p", f"127.0.0.1:{here}", "-h", "/www"))
    wait_until(lambda: has_port(pid, here), "httpd")
    found = check(f"http://127.0.0.1:{here}/", *QUICK)
    assert "0.0.0.0" in found["remedies"][0]["text"]
    return found


@case("ok", "a container's server, asked from within by the container's name", near="not-published")
def test_from_a_container(check: Check, unpublished: tuple[str, int]) -> Diagnosis:
    name, port = unpublished
    return check(f"http://127.0.0.1:{port}/", "--from", name)


@case("ok", "a container whose port is published as another one, asked from within", near="other-port")
def test_from_a_published_container(check: Check, published: tuple[str, int, int]) -> Diagnosis:
    name, inside, outside = published
    assert check(f"127.0.0.1:{outside}", *QUICK, "--from", name)["verdict"] == "other-namespace"
    return check(f"http://127.0.0.1:{inside}/", "--from", name)


@case("ok", "a container's own address", near="not-this-machine")
def test_the_address_of_a_container(check: Check, containers: Containers, unpublished: tuple[str, int]) -> Diagnosis:
    name, port = unpublished
    found = check(f"http://{containers.address(name)}:{port}/")
    assert name in found["cause"]
    return found


@case("nothing-listens", "a container's own address, where nobody listens in it", near="not-this-machine")
def test_an_empty_port_of_a_container(
    check: Check, containers: Containers, unpublished: tuple[str, int], here: int
) -> Diagnosis:
    with serving("0.0.0.0", here):  # the machine's own has nothing to do with it
        return check(f"http://{containers.address(unpublished[0])}:{here}/", *QUICK)


@case("other-address", "a container's own address, and its server listens on the loopback inside", near="other-port")
def test_the_loopback_of_a_container(check: Check, containers: Containers, here: int) -> Diagnosis:
    name, pid = containers.run("loopback", command=("httpd", "-f", "-p", f"127.0.0.1:{here}", "-h", "/www"))
    wait_until(lambda: has_port(pid, here), "httpd")
    found = check(f"http://{containers.address(name)}:{here}/", *QUICK)
    assert name in found["cause"]
    return found


@case("other-port", "a container's port that is published as another port", cured=True)
def test_published_elsewhere(check: Check, published: tuple[str, int, int]) -> tuple[Diagnosis, Diagnosis]:
    name, inside, outside = published
    found = check(f"http://127.0.0.1:{inside}/", *QUICK)
    assert name in found["cause"]
    assert str(outside) in found["cause"]
    return found, check(address_of(found))


@case("ok", "a container's published port", near="not-published")
def test_published(check: Check, published: tuple[str, int, int]) -> Diagnosis:
    _, _, outside = published
    return check(f"http://127.0.0.1:{outside}/")


@case("other-address", "a published container whose server listens on the container's own loopback")
def test_published_loopback(check: Check, containers: Containers) -> Diagnosis:
    inside, outside = free_ports(2)
    name, pid = containers.run(
        "published-loopback", "-p", f"127.0.0.1:{outside}:{inside}",
        command=("httpd", "-f", "-p", f"127.0.0.1:{inside}", "-h", "/www"),
    )  # fmt: skip
    wait_until(lambda: has_port(pid, inside), "httpd")
    found = check(f"http://127.0.0.1:{outside}/", *QUICK)
    assert name in found["cause"]
    assert found["remedy"] == f"inside of {name}: listen on 0.0.0.0"
    assert check(f"http://127.0.0.1:{inside}/", *QUICK)["verdict"] == "not-published"
    return found


@case("nothing-listens", "a published port of a container in which nothing listens on it", near="not-published")
def test_published_nothing(check: Check, containers: Containers) -> Diagnosis:
    inside, outside = free_ports(2)
    name, _ = containers.run("published-nothing", "-p", f"127.0.0.1:{outside}:{inside}", command=("sleep", "1000"))
    found = check(f"http://127.0.0.1:{outside}/", *QUICK)
    assert f"port {inside} of container {name}" in found["cause"]
    return found


@case("ok", "a container in the machine's own network namespace", near="not-published")
def test_host_network(check: Check, containers: Containers, here: int) -> Diagnosis:
    _, pid = containers.run("host", "--network", "host", command=("httpd", "-f", "-p", str(here), "-h", "/www"))
    wait_until(lambda: has_port(pid, here), "httpd")
    return check(f"http://127.0.0.1:{here}/")


# another program answers first


@case("shadowed", "one program on 127.0.0.1 and another on 0.0.0.0, which the project's own is", cured=True)
def test_more_specific(check: Check, here: int, project: Path, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    other = tmp_path / "other"
    other.mkdir()
    with serving("0.0.0.0", here, "http", "reuseport", cwd=project):
        with serving("127.0.0.1", here, "http", "reuseport", cwd=other) as first:
            found = check(f"http://127.0.0.1:{here}/", cwd=project)
            assert str(first) in found["cause"]
        return found, check(f"http://127.0.0.1:{here}/", cwd=project)


@case("shadowed", "one program on ::1 and another on 127.0.0.1, asked by localhost", cured=True)
def test_another_family_first(check: Check, here: int, project: Path, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    with serving("::1", here, cwd=tmp_path), serving("127.0.0.1", here, cwd=project):
        found = check(f"http://localhost:{here}/", cwd=project, prefix=with_hosts(tmp_path, BOTH))
        return found, check(address_of(found), cwd=project)


@case("shadowed", "two programs that share the port by SO_REUSEPORT")
def test_shared(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    words = "127.0.0.1", here, "http", "reuseport"
    with serving(*words, cwd=one), serving(*words, cwd=other):
        found = check(f"http://127.0.0.1:{here}/", cwd=other)
    assert "SO_REUSEPORT" in found["cause"]
    return found


@case("ok", "the same program twice by SO_REUSEPORT, as workers are", near="shadowed")
def test_same_program_twice(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "http", "reuseport"), serving("127.0.0.1", here, "http", "reuseport"):
        return check(f"http://127.0.0.1:{here}/")


@case("ok", "one program on 127.0.0.1 before another on 0.0.0.0, and the first is the project's own", near="shadowed")
def test_mine_is_first(check: Check, here: int, project: Path, tmp_path: Path) -> Diagnosis:
    theirs, mine = "0.0.0.0", "127.0.0.1"
    with (
        serving(theirs, here, "http", "reuseport", cwd=tmp_path),
        serving(mine, here, "http", "reuseport", cwd=project),
    ):
        return check(f"http://127.0.0.1:{here}/", cwd=project)


@case("ok", "gunicorn with several workers on one socket", near="shadowed")
def test_prefork_workers(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    (tmp_path / "app.py").write_text(
        "def app(environ, start):\n    start('200 OK', [('Content-Length', '3')])\n    return [b'hi\\n']\n"
    )
    with running(tool("gunicorn"), "-w", "3", "-b", f"127.0.0.1:{here}", "app:app", cwd=tmp_path) as one:
        wait_until(lambda: has_port(one.pid, here), "gunicorn")
        return check(f"http://127.0.0.1:{here}/")


@case("ok", "nginx on both families, asked by localhost", near="shadowed")
def test_nginx_on_both(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    (tmp_path / "index.html").write_text("hi\n")
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; daemon off; user root; worker_processes 2;\n"
        f"events {{}}\nhttp {{ access_log off; server {{ listen 127.0.0.1:{here}; listen [::1]:{here}; "
        f"root {tmp_path}; }} }}\n"
    )
    with running(tool("nginx"), "-c", configuration, "-p", tmp_path) as one:
        wait_until(lambda: has_port(one.pid, here), "nginx")
        return check(f"http://localhost:{here}/", prefix=with_hosts(tmp_path, BOTH))


def test_from_nowhere(homeport: Any, here: int) -> None:
    done = homeport("check", f"127.0.0.1:{here}", "--from", "hp-no-such-place")
    assert done.returncode == 2
    assert "hp-no-such-place" in done.stderr
    assert done.stdout == ""


def test_remedies_are_commands_that_run(check: Check, homeport: Any, here: int) -> None:
    found = check(f"127.0.0.1:{here}", *QUICK)
    for one in found["remedies"]:
        if one["kind"] == "command":
            done = homeport(*one["text"].split()[1:])
            assert done.returncode in (0, 1), one
