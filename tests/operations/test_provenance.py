"""Why a real process has its port, by the files it really has."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from homeport.model.addresses import Protocol
from homeport.model.evidence import Confidence
from homeport.model.provenance import Origin, Provenance
from homeport.model.snapshot import Query
from homeport.operations.ls import look
from homeport.operations.provenance import provenance
from homeport.system.lineage import ancestors

SERVER = """
import os, socket, sys
one = socket.create_server(("127.0.0.1", int(os.environ.pop("PORT", 0)) or int(open(sys.argv[1]).read().split()[-1])))
print(one.getsockname()[1], flush=True)
sys.stdin.read()
"""
Start = Callable[..., int]


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A server of the port that ends a file, its first argument."""
    script = tmp_path / "serve.py"
    script.write_text(SERVER)
    return script


@pytest.fixture
def start() -> Iterator[Start]:
    """`start(*command, cwd=…, env=…)`: the port that the command says, once it listens on it."""
    with ExitStack() as stack:

        def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> int:
            child = subprocess.Popen(
                command, cwd=cwd, env={**os.environ, **(env or {})},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.enter_context(child)
            stack.callback(child.kill)
            assert child.stdout is not None
            return int(child.stdout.readline())

        yield run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def unused() -> int:
    """A port that is free now, outside of the range from which the kernel gives others theirs."""
    high = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[1])
    for port in range(high + 1 + (os.getpid() * 7) % 2000, 65536):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:  # taken: the next one
                continue
            return port
    raise AssertionError("no free port")


def why(port: int, ephemeral: tuple[int, int] | None = None) -> Provenance:
    found = look(Query(frozenset((Protocol.TCP,)), frozenset((port,)))).listeners
    own = Path("/proc/self/ns/net").stat().st_ino
    (one,) = (each for each in found if each.socket.is_listener and each.socket.netns == own)
    parents = ancestors(one.owners[0].process).processes[1:]
    return provenance(one, parents, ephemeral=ephemeral)


def test_a_file_in_a_folder_with_a_name_like_a_pattern(start: Start, server: Path, tmp_path: Path) -> None:
    folder = tmp_path / "[slug]"
    folder.mkdir()
    port = unused()
    (folder / "a[1]*.conf").write_text(f"port {port}\n")
    (folder / "a1.conf").write_text("no number\n")
    start(sys.executable, server, folder / "a[1]*.conf", cwd=tmp_path)
    found = why(port)
    assert (found.origin, found.file, found.line) == (Origin.FILE, str(folder / "a[1]*.conf"), 1)
    assert str(folder / "a1.conf") not in found.searched


def test_an_argument_that_is_a_pattern_opens_no_folder(start: Start, server: Path, tmp_path: Path) -> None:
    port = unused()
    (tmp_path / "port.conf").write_text(f"port {port}\n")
    start(sys.executable, server, "/dev/null", f"{tmp_path}/*.conf", cwd=Path("/"), env={"PORT": str(port)})
    found = why(port)
    assert found.origin is Origin.ENVIRONMENT
    assert str(tmp_path / "port.conf") not in found.searched


def test_what_a_compose_file_of_the_project_pulls_in(start: Start, server: Path, project: Path) -> None:
    port = unused()
    (project / "compose.yaml").write_text("services:\n  web:\n    env_file: deploy/web.env\n")
    (project / "deploy").mkdir()
    (project / "deploy" / "web.env").write_text(f"API_TOKEN=do-not-show-me\nPORT={port}\n")
    start(sys.executable, server, cwd=project, env={"PORT": str(port)})
    found = why(port)
    assert (found.origin, found.file, found.line) == (Origin.FILE, str(project / "deploy" / "web.env"), 2)
    assert f"PORT={port}" in [one.text for one in found.evidence]
    assert "do-not-show-me" not in str(found)


def test_nginx_includes_start_from_its_main_file(tmp_path: Path) -> None:
    port = unused()
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "snippets").mkdir()
    (tmp_path / "conf.d" / "site.conf").write_text("server {\n  include snippets/listen.conf;\n}\n")
    (tmp_path / "snippets" / "listen.conf").write_text(f"# here\nlisten 127.0.0.1:{port};\n")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\n"
        "http { access_log off; include conf.d/*.conf; }\n"
    )
    command = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    subprocess.run(command, check=True, timeout=60)  # ends when it listens
    try:
        found = why(port)
    finally:
        subprocess.run([*command, "-s", "stop"], check=True, timeout=60)
    place = str(tmp_path / "snippets" / "listen.conf")
    assert (found.origin, found.file, found.line) == (Origin.FILE, place, 2)


def test_redis_by_its_configuration(tmp_path: Path) -> None:
    port = unused()
    conf = tmp_path / "my.conf"
    conf.write_text(f"bind 127.0.0.1\nrequirepass do-not-show-me\nport {port}\ndir {tmp_path}\nsave ''\n")
    with subprocess.Popen(["redis-server", conf], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert any("Ready to accept" in line for line in child.stdout)
            found = why(port)
        finally:
            child.kill()
    # its title has replaced its arguments: `redis-server 127.0.0.1:6379`
    assert "do-not-show-me" not in str(found)
    assert found.origin is not Origin.ARGUMENT


@pytest.mark.parametrize("how", ["mount namespace", "chroot"])
def test_the_files_of_a_process_that_sees_others(start: Start, server: Path, tmp_path: Path, how: str) -> None:
    """The same name is another file on this side, and an absolute link leads into the process's own root."""
    port = unused()
    conf, made = tmp_path / "etc" / "app.conf", tmp_path / "made"
    conf.parent.mkdir()
    made.mkdir()
    conf.write_text(f"first\nsecond\nport {port}\n")
    if how == "chroot":
        conf.write_text("nothing\n")
        (made / "etc").mkdir()
        (made / "etc" / "target").write_text(f"port {port}\n")
        (made / "etc" / "app.conf").symlink_to("/etc/target")
        code = f"import os, socket; os.chroot({str(made)!r}); os.chdir('/')\n{SERVER}"
        start(sys.executable, "-c", code, "/etc/app.conf", cwd=tmp_path)
        place = "/etc/app.conf"
    else:
        (made / "app.conf").symlink_to(conf.parent / "target")
        (made / "target").write_text(f"port {port}\n")
        script = 'mount --bind "$1" "$2" && exec "$3" "$4" "$2/app.conf"'
        start("unshare", "-m", "sh", "-c", script, "sh", made, conf.parent, sys.executable, server, cwd=tmp_path)
        place = str(conf)
    found = why(port)
    assert (found.origin, found.file, found.line) == (Origin.FILE, place, 1)
    assert "as the process sees it, below /proc/" in found.statement
    assert any(one.startswith("files as the process sees them") for one in found.searched)


def test_a_hostile_project(start: Start, server: Path, project: Path) -> None:
    """A FIFO, a link out, a binary, an endless line, a folder and a loop, each under a name that is looked for."""
    port = unused()
    with tempfile.NamedTemporaryFile("w", suffix=".env") as outside:
        outside.write(f"PORT={port}\n")
        outside.flush()
        os.mkfifo(project / ".env")
        (project / ".env.local").symlink_to(outside.name)
        (project / "package.json").write_bytes(b"\0" + f'"port": {port}'.encode())
        (project / "compose.yaml").write_text("x" * (1 << 20) + f" port: {port}")
        (project / "Makefile").mkdir()
        (project / "Procfile").symlink_to("Procfile")
        (project / "settings.py").symlink_to("/proc/self/environ")
        start(sys.executable, server, cwd=project, env={"PORT": str(port)})
        found = why(port)
    assert (found.origin, found.file) == (Origin.ENVIRONMENT, None)
    assert outside.name not in str(found)
    read = [Path(one.split(" (")[0]).name for one in found.searched if one.startswith(str(project))]
    assert sorted(read) == ["compose.yaml", "package.json"]


def test_port_zero_of_a_real_process(start: Start, project: Path) -> None:
    code = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[2]))); "
    code += "print(s.getsockname()[1], flush=True); sys.stdin.read()"
    port = start(sys.executable, "-c", code, "--port", "0", cwd=project)
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    found = why(port, (low, high))
    assert (found.origin, found.confidence) == (Origin.KERNEL, Confidence.LIKELY)
    assert "--port 0" in found.statement


def test_an_ordinary_user_is_told_what_is_closed(tmp_path: Path) -> None:
    """The start environment of somebody else's process; the rest of the answer stands."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env={**os.environ, "PORT": str(unused())}, text=True) as child:  # fmt: skip
        try:
            assert child.stdout is not None
            port = int(child.stdout.readline())
            code = f"""
import os
from homeport.model.addresses import Protocol
from homeport.model.snapshot import Query
from homeport.operations.ls import look
from homeport.operations.provenance import provenance
(one,) = look(Query(frozenset((Protocol.TCP,)), frozenset(({port},)))).listeners
os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
print(provenance(one, (), ephemeral=None))
"""
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
        finally:
            child.kill()
    assert f"/proc/{child.pid}/environ (closed to this user: not read)" in done.stdout
    assert "Origin.UNKNOWN" in done.stdout or "'unknown'" in done.stdout


def test_servers_that_are_needed_are_here() -> None:
    assert [name for name in ("nginx", "redis-server", "unshare", "git") if shutil.which(name) is None] == []
