"""Real programs: shells, multiplexers, npm, sshd, cron, supervisord, gunicorn, orphans, other users and namespaces."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from homeport.model.lineage import Cause, Lineage
from homeport.model.owners import Process
from homeport.system import lineage as system
from homeport.system import portable, procfs
from homeport.system.lineage import ancestors, environment, lineage_of

T = TypeVar("T")
SLEEP = "/usr/bin/sleep"


def until(question: Callable[[], T | None], seconds: float = 30) -> T:
    """The first answer that is not None."""
    deadline = time.monotonic() + seconds
    while (answer := question()) is None:
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return answer


class Started:
    """Programs that are ended by pid at the end."""

    def __init__(self) -> None:
        self.children: list[subprocess.Popen[bytes]] = []
        self.others: list[Process] = []

    def __call__(self, *command: str | Path, cwd: Path | None = None, **env: str) -> subprocess.Popen[bytes]:
        """A program in a session of its own."""
        child = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.children.append(child)
        return child

    def written(self, path: Path) -> Process:
        """The process that wrote its pid into a file."""

        def look() -> Process | None:
            text = path.read_text() if path.exists() else ""
            return procfs.read_process(int(text)) if text.endswith("\n") else None

        found = until(look)
        self.others.append(found)
        return found

    def close(self) -> None:
        for one in reversed(self.others):
            if procfs.start_ticks(one.pid) == one.start_ticks:
                os.kill(one.pid, signal.SIGKILL)
        for child in self.children:
            try:
                os.killpg(child.pid, signal.SIGTERM)
                child.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                child.kill()
            child.wait()


@pytest.fixture
def started() -> Iterator[Started]:
    programs = Started()
    yield programs
    programs.close()


@pytest.fixture
def server(tmp_path: Path) -> str:
    """Words of a shell that start a server which writes its pid into `pid`."""
    script = tmp_path / "server.py"
    script.write_text(
        "import os, socket, sys\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "open(sys.argv[1] + '.new', 'w').write(f'{os.getpid()}\\n')\n"
        "os.rename(sys.argv[1] + '.new', sys.argv[1])\n"
        "listener.accept()\n"
    )
    return f"{sys.executable} {script} {tmp_path / 'pid'}"


def labels(found: Lineage) -> list[str | None]:
    return [one.label for one in found.ancestors]


def test_a_server_of_a_script_of_a_shell(started: Started, server: str, tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text(f"{server}; :\n")
    shell = started("bash", script)
    found = lineage_of(started.written(tmp_path / "pid"))
    assert [one.process.pid for one in found.ancestors][1:3] == [shell.pid, os.getpid()]
    assert labels(found)[1] == "bash run.sh"
    assert found.ancestors[1].role == "shell"
    assert found.ancestors[-1].process.pid == 1
    assert found.broken is None


def test_a_session_of_tmux_is_named(started: Started, server: str, tmp_path: Path) -> None:
    path = tmp_path / "tmux"
    tmux = ["tmux", "-f", "/dev/null", "-S", str(path)]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
    subprocess.run([*tmux, "new-session", "-d", "-s", "first", "sleep 1000"], check=True, timeout=30, env=bare)
    try:
        subprocess.run([*tmux, "new-session", "-d", "-s", "my work", f"bash -c '{server}; :'"], check=True, timeout=30)
        process = started.written(tmp_path / "pid")
        found = lineage_of(process)
        assert found.cause is Cause.MULTIPLEXER
        assert 'tmux "my work"' in found.summary
        assert process.terminal is not None
    finally:
        subprocess.run([*tmux, "kill-server"], check=True, timeout=30)


def test_a_pane_of_tmux_with_an_interactive_shell_has_its_terminal(
    started: Started, server: str, tmp_path: Path
) -> None:
    tmux = ["tmux", "-f", "/dev/null", "-S", str(tmp_path / "tmux")]
    subprocess.run([*tmux, "new-session", "-d", "-s", "work", "exec bash --norc"], check=True, timeout=30)
    try:
        subprocess.run([*tmux, "send-keys", server, "Enter"], check=True, timeout=30)
        process = started.written(tmp_path / "pid")
        terminal = (procfs.read_link(f"/proc/{process.pid}/fd/0") or "").removeprefix("/dev/")
        found = lineage_of(process)
        assert f'server.py ← bash ({terminal}) ← tmux "work" ← ' in found.summary
    finally:
        subprocess.run([*tmux, "kill-server"], check=True, timeout=30)


def test_a_tmux_server_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        me = procfs.read_process(os.getpid())
        assert me is not None
        before = time.monotonic()
        assert system._tmux_session(me, {"TMUX": f"{path},{os.getpid()},0", "TMUX_PANE": "%0"}) is None
        assert time.monotonic() - before < 20


def test_screen_is_named(started: Started, server: str, tmp_path: Path) -> None:
    folder = tmp_path / "screens"
    folder.mkdir(mode=0o700)
    name = f"hp-lineage-{os.getpid()}"
    started("screen", "-D", "-m", "-S", name, "bash", "-c", f"{server}; :", SCREENDIR=str(folder))
    found = lineage_of(started.written(tmp_path / "pid"))
    assert found.cause is Cause.MULTIPLEXER
    assert f'screen "{name}"' in found.summary


def test_npm_run_dev(started: Started, tmp_path: Path) -> None:
    (tmp_path / "server.js").write_text(
        'require("http").createServer().listen(0, "127.0.0.1", () => {'
        'require("fs").writeFileSync("pid.new", `${process.pid}\\n`); require("fs").renameSync("pid.new", "pid") })\n'
    )
    scripts = {"dev": "node server.js", "all": "npm run dev"}
    (tmp_path / "package.json").write_text(json.dumps({"name": "shop", "scripts": scripts}))
    started("npm", "run", "all", cwd=tmp_path)
    found = lineage_of(started.written(tmp_path / "pid"))
    assert found.summary.startswith("node server.js ← npm run dev ← npm run all ← ")
    assert found.ancestors[1].role == "shell"


def test_supervisord_is_the_cause_whoever_started_it(started: Started, server: str, tmp_path: Path) -> None:
    configuration = tmp_path / "supervisord.conf"
    configuration.write_text(
        f"[supervisord]\nnodaemon=true\npidfile={tmp_path}/s.pid\nlogfile={tmp_path}/s.log\nchildlogdir={tmp_path}\n"
        f"[program:shop]\ncommand={server}\n"
    )
    started("/usr/bin/supervisord", "-c", configuration)
    found = lineage_of(started.written(tmp_path / "pid"))
    assert found.cause is Cause.SUPERVISOR
    assert 'server.py ← supervisord "shop" ← ' in found.summary


def test_gunicorn_and_its_master(started: Started, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import os\nopen('pid.new', 'w').write(f'{os.getpid()}\\n')\nos.rename('pid.new', 'pid')\n"
        "def app(environ, start_response):\n    start_response('200 OK', [])\n    return []\n"
    )
    master = started("/usr/bin/gunicorn", "-b", "127.0.0.1:0", "app:app", cwd=tmp_path)
    found = lineage_of(started.written(tmp_path / "pid"))
    assert found.ancestors[1].process.pid == master.pid
    assert (found.ancestors[1].role, found.ancestors[1].cause) == ("server master", Cause.SUPERVISOR)
    assert " ← gunicorn ← " in found.summary


def test_an_ssh_session_with_the_address_of_its_client(started: Started, server: str, tmp_path: Path) -> None:
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True, timeout=30)
    Path("/run/sshd").mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    user = pwd.getpwuid(os.getuid()).pw_name
    authorized = tmp_path / "authorized"
    shutil.copy(tmp_path / "user.pub", authorized)
    started(
        "/usr/sbin/sshd", "-D", "-f", "/dev/null", "-p", str(port), "-h", tmp_path / "host",
        "-o", "ListenAddress=127.0.0.1", "-o", f"AuthorizedKeysFile={authorized}", "-o", "StrictModes=no",
        "-o", "PidFile=none", "-o", "UsePAM=no", "-o", "PermitRootLogin=yes",
    )  # fmt: skip

    def listens() -> bool | None:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:  # not yet
            return None
        return True

    until(listens)
    options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes")
    words = [word for option in options for word in ("-o", option)]
    started(
        "ssh", "-F", "/dev/null", *words, "-i", tmp_path / "user", "-p", str(port), "-tt", f"{user}@127.0.0.1",
        f"bash -c '{server}; :'",
    )  # fmt: skip
    found = lineage_of(started.written(tmp_path / "pid"))
    assert found.cause is Cause.SSH
    assert f"sshd ({user} from 127.0.0.1)" in found.summary
    assert [one.role for one in found.ancestors].count("ssh server") == 1


def test_a_job_of_cron(started: Started, server: str, tmp_path: Path) -> None:
    # in a mount namespace where there is nothing but this job: @reboot runs it at once
    for name in ("cron.d", "spool"):
        (tmp_path / name).mkdir()
    table = tmp_path / "cron.d" / "job"
    table.write_text(f"@reboot {pwd.getpwuid(os.getuid()).pw_name} {server}; :\n")
    table.chmod(0o644)
    places = {"/etc/cron.d": "cron.d", "/var/spool/cron": "spool", "/run": "spool"}
    mounts = [f"mount --bind {tmp_path / ours} {theirs}" for theirs, ours in places.items()]
    mounts.append("{ [ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab; }")
    started("unshare", "--mount", "sh", "-c", " && ".join([*mounts, "exec cron -f"]))
    found = lineage_of(started.written(tmp_path / "pid"))
    assert found.cause is Cause.CRON
    assert "server.py ← cron ← " in found.summary


def test_an_orphan_is_named_and_says_where_it_comes_from(started: Started, server: str, tmp_path: Path) -> None:
    shell = started("bash", "-c", f"({server} &)", npm_lifecycle_event="dev")
    process = started.written(tmp_path / "pid")
    shell.wait(30)
    orphan = until(lambda: None if (now := procfs.read_process(process.pid)) and now.ppid == shell.pid else now)
    found = lineage_of(orphan)
    assert found.cause is Cause.ORPHAN
    assert "server.py ← (its parent ended) ← init" in found.summary
    assert "the leader of the session has ended too" in found.evidence[0].text
    assert ("npm_lifecycle_event=dev") in [one.text for one in found.evidence]


def test_the_leader_of_the_session_of_an_orphan_that_still_lives(started: Started, server: str, tmp_path: Path) -> None:
    shell = started("bash", "-c", f"({server} &); {SLEEP} 1000; :")
    process = started.written(tmp_path / "pid")
    orphan = until(lambda: now if (now := procfs.read_process(process.pid)) and now.ppid == 1 else None)
    found = lineage_of(orphan)
    assert found.cause is Cause.ORPHAN
    assert "the session is that of bash -c" in found.evidence[0].text
    assert orphan.session == shell.pid


def test_a_process_that_ended_during_the_look(started: Started) -> None:
    child = started(SLEEP, "1000")
    process = procfs.read_process(child.pid)
    assert process is not None
    child.kill()
    child.wait()
    chain = ancestors(process)
    assert chain.processes == (process,)
    assert chain.broken == f"process {child.pid} ended during the look"
    assert lineage_of(process).broken == chain.broken
    assert environment(process) == {}


def test_a_recycled_pid_of_a_parent_is_not_followed(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    child = started(SLEEP, "1000")
    process = procfs.read_process(child.pid)
    assert process is not None and process.start_ticks is not None
    real = procfs.read_process

    def younger(pid: int) -> Process | None:
        found = real(pid)
        return found._replace(start_ticks=1 << 60) if found is not None and pid == os.getpid() else found

    monkeypatch.setattr(procfs, "read_process", younger)
    chain = ancestors(process)
    assert chain.processes == (process,)
    assert chain.broken == f"pid {os.getpid()} is not the process that started {child.pid}: it started after its child"


def test_a_parent_that_ends_while_it_is_read_leads_to_the_next(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = started(SLEEP, "1000")
    process = procfs.read_process(child.pid)
    gone = procfs.read_process(1)
    assert process is not None and gone is not None
    real = procfs.read_process
    chain = ancestors(process._replace(ppid=1 << 30))  # what it was told is not so any more
    assert chain.processes[1].pid == os.getpid()
    assert chain.processes[0] == process
    monkeypatch.setattr(procfs, "read_process", lambda pid: None if pid == os.getpid() else real(pid))
    assert ancestors(process).broken == f"process {os.getpid()}, the parent of {child.pid}, may not be seen"


def test_an_environment_that_may_not_be_read_is_no_error(tmp_path: Path, started: Started) -> None:
    child = started(SLEEP, "1000", STY="1.work")
    process = until(lambda: now if (now := procfs.read_process(child.pid)) and now.name == "sleep" else None)
    assert environment(process)["STY"] == "1.work"
    read, write = os.pipe()
    other = os.fork()
    if other == 0:
        os.setuid(65534)
        os.write(write, repr((environment(process), lineage_of(process).broken)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        assert answer.read() == "({}, None)"
    assert os.waitpid(other, 0)[1] == 0


def test_without_proc_psutil_tells_the_parents(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    child = started(SLEEP, "1000")
    monkeypatch.setattr(procfs, "available", lambda: False)
    process = portable.read_process(child.pid)
    assert process is not None
    found = lineage_of(process)
    assert [one.process.pid for one in found.ancestors][:2] == [child.pid, os.getpid()]
    assert (found.ancestors[-1].process.pid, found.broken) == (1, None)


def test_the_first_process_and_the_kernel() -> None:
    init, kthreadd = procfs.read_process(1), procfs.read_process(2)
    assert init is not None and kthreadd is not None
    assert ancestors(init) == ((init,), None)
    assert lineage_of(init).cause is Cause.INIT
    assert lineage_of(kthreadd).cause is Cause.KERNEL
    thread = next(one for pid in procfs.all_pids() if (one := procfs.read_process(pid)) and one.ppid == 2)
    assert lineage_of(thread).cause is Cause.KERNEL


def test_a_parent_outside_of_the_pid_namespace_is_said(tmp_path: Path, started: Started) -> None:
    init = started("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", SLEEP, "1000")
    inner = until(lambda: next(
        (pid for pid in procfs.all_pids() if (one := procfs.read_process(pid)) and one.ppid == init.pid
         and one.name == "sleep"), None))  # fmt: skip
    code = (
        "import os\nfrom homeport.system import procfs\nfrom homeport.system.lineage import ancestors\n"
        "print(ancestors(procfs.read_process(os.getpid())).broken)"
    )
    command = ["nsenter", "-t", str(inner), "--pid", "--mount", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.rstrip().endswith("is outside of this PID namespace")


class Podman(Protocol):
    """The engine of `conftest.py`."""

    def run(self, name: str, *options: str, command: tuple[str, ...]) -> str: ...

    def pid(self, identity: str) -> int: ...


def test_a_container_of_podman_ends_the_summary(podman: Podman) -> None:
    identity = podman.run("lineage", command=("sh", "-c", "sleep 1000; :"))
    process = until(lambda: next(
        (one for pid in procfs.all_pids() if (one := procfs.read_process(pid)) and one.ppid == podman.pid(identity)),
        None))  # fmt: skip
    found = lineage_of(process)
    assert found.cause is Cause.CONTAINER
    assert found.summary == f"sleep ← container {identity[:12]}"
