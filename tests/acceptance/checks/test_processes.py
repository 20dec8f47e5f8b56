"""It listens, or should, and cannot answer: stopped, starting, crashing, out of descriptors, overrun."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
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
    commands,
    follow,
    free_ports,
    has_port,
    running,
    serving,
    tool,
    wait_until,
)  # fmt: skip

Diagnosis = dict[str, Any]
QUICK = ("--timeout", "2")


@pytest.fixture
def here() -> int:
    """A port that nothing has."""
    return free_ports(1)[0]


@contextlib.contextmanager
def nginx(folder: Path, port: int) -> Iterator[tuple[int, list[int]]]:
    """The pids of a master and its two workers."""
    (folder / "index.html").write_text("hi\n")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off; user root; worker_processes 2;\n"
        f"events {{}}\nhttp {{ access_log off; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    with running(tool("nginx"), "-c", configuration, "-p", folder) as one:
        wait_until(lambda: has_port(one.pid, port) and len(children(one.pid)) == 2, "nginx")
        workers = children(one.pid)
        wait_until(lambda: all(has_port(pid, port) for pid in workers), "the workers of nginx")
        yield one.pid, workers


def children(pid: int) -> list[int]:
    """The child processes of one."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def state(pid: int) -> str:
    """The letter of proc_pid_status(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("State:"))


def stop(*pids: int) -> None:
    """Stop processes, and wait until they are."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(state(pid) == "T" for pid in pids), "stopped processes")


# stopped


@case("stopped", "nginx, its master and all workers stopped by SIGSTOP", cured=True)
def test_stopped_nginx(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    with nginx(tmp_path, here) as (master, workers):
        stop(master, *workers)
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
        assert found["fault"] == "server"
        assert found["confidence"] == "certain"
        (command,) = commands(found, "kill -CONT")
        assert set(command.split()[2:]) == {str(pid) for pid in (master, *workers)}
        follow(command)
        return found, check(f"http://127.0.0.1:{here}/")


@case("stopped", "nginx, both workers stopped, the master runs", cured=True)
def test_stopped_workers(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    with nginx(tmp_path, here) as (_, workers):
        stop(*workers)
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
        follow(commands(found, "kill -CONT")[0])
        return found, check(f"http://127.0.0.1:{here}/")


@case("ok", "nginx, its master stopped, the workers run", near="stopped")
def test_stopped_master(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    with nginx(tmp_path, here) as (master, _):
        stop(master)
        return check(f"http://127.0.0.1:{here}/")


@case("ok", "nginx, one of its workers stopped, the other one accepts", near="stopped")
def test_one_stopped_worker(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    with nginx(tmp_path, here) as (_, workers):
        stop(workers[0])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", here), 5) as one:
            one.sendall(b"GET / HTTP/1.0\r\n\r\n")  # the running worker takes it: so it does with the check's
            one.recv(1)
        return check(f"http://127.0.0.1:{here}/")


@case("stopped", "one of two programs that share the port by SO_REUSEPORT is stopped", near="ok")
def test_one_of_two_that_share(check: Check, here: int) -> Diagnosis:
    words = "127.0.0.1", here, "http", "reuseport"
    with serving(*words) as one, serving(*words):
        stop(one)
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
        assert str(one) in found["cause"]
        return found


@case("stopped", "a server that a shell has stopped by Ctrl-Z (SIGTSTP)", cured=True)
def test_control_z(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with serving("127.0.0.1", here) as pid:
        stop(pid)
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
        follow(commands(found, "kill -CONT")[0])
        return found, check(f"http://127.0.0.1:{here}/")


DEBUGGED = """
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void answer(int peer) {
    char asked[4096];
    if (read(peer, asked, sizeof asked) > 0) {
        const char *said = "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nhi\\n";
        if (write(peer, said, strlen(said)) < 0) exit(1);
    }
    close(peer);
}
int main(int count, char **words) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(one, (struct sockaddr *)&at, sizeof at) || listen(one, 16)) return 1;
    for (;;) answer(accept(one, 0, 0));
}
"""


@case("stopped", "a server at a breakpoint of gdb", cured=True)
def test_breakpoint(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    source, program = tmp_path / "server.c", tmp_path / "server"
    source.write_text(DEBUGGED)
    subprocess.run([tool("clang"), "-g", "-o", program, source], check=True)
    with subprocess.Popen(
        [tool("gdb"), "-q", "-nx", program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True, text=True,
    ) as debugger:  # fmt: skip
        try:
            assert debugger.stdin is not None
            print(
                "set debuginfod enabled off", "break answer", f"run {here}", sep="\n", file=debugger.stdin, flush=True
            )
            wait_until(lambda: bool(held(debugger.pid, here)), "the server under gdb")
            (pid,) = held(debugger.pid, here)
            with socket.create_connection(("127.0.0.1", here), 5):
                wait_until(lambda: state(pid) == "t", "the breakpoint")
                found = check(f"http://127.0.0.1:{here}/", *QUICK)
            assert str(debugger.pid) in found["cause"]
            assert "debugger" in found["remedy"]
            print("delete", "continue", sep="\n", file=debugger.stdin, flush=True)  # what the remedy says
            wait_until(lambda: state(pid) != "t", "the server runs on")
            return found, check(f"http://127.0.0.1:{here}/")
        finally:
            debugger.kill()
            for pid in held(debugger.pid, here):
                os.kill(pid, signal.SIGKILL)


def held(parent: int, port: int) -> list[int]:
    """The children of a process that hold a listening socket."""
    return [pid for pid in children(parent) if has_port(pid, port)]


@case("ok", "a server that is traced, and runs", near="stopped")
def test_traced_and_running(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here) as pid, running(tool("strace"), "-f", "-o", os.devnull, "-p", str(pid)):
        wait_until(lambda: "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text(), "strace")
        return check(f"http://127.0.0.1:{here}/")


@contextlib.contextmanager
def group(root: str) -> Iterator[Path]:
    """A control group, removed at the end."""
    folder = Path(root) / f"hp-check-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        wait_until(lambda: not (folder / "cgroup.procs").read_text(), "an empty control group")
        folder.rmdir()


FREEZERS = [
    *(
        [("/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED")]
        if os.path.isdir("/sys/fs/cgroup/freezer")
        else []
    ),
    (
        "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup",
        "cgroup.freeze",
        "1",
        "0",
    ),
]


@pytest.mark.parametrize("freezer", FREEZERS, ids=lambda one: one[1])
@case("stopped", "a server whose control group is frozen", cured=True)
def test_frozen_group(check: Check, here: int, freezer: tuple[str, str, str, str]) -> tuple[Diagnosis, Diagnosis]:
    root, name, frozen, thawed = freezer
    with group(root) as folder, serving("127.0.0.1", here) as pid:
        (folder / "cgroup.procs").write_text(str(pid))
        (folder / name).write_text(frozen)
        try:
            found = check(f"http://127.0.0.1:{here}/", *QUICK)
            assert str(folder) in found["cause"]
            follow(found["remedy"])
            assert (folder / name).read_text().strip() == thawed
            return found, check(f"http://127.0.0.1:{here}/")
        finally:
            (folder / name).write_text(thawed)


@case("stopped", "a container that is paused", cured=True)
def test_paused_container(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    name = f"hp-check-paused-{os.getpid()}"
    image = f"localhost/{name}:1"
    podman = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")

    def run(*words: str) -> str:
        done = subprocess.run([*podman, *words], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    for each in ("bin", "www", "tmp", "etc"):
        (tmp_path / "root" / each).mkdir(parents=True)
    shutil.copy("/bin/busybox", tmp_path / "root" / "bin" / "busybox")
    (tmp_path / "root" / "www" / "index.html").write_text("hello\n")
    subprocess.run(["tar", "-C", tmp_path / "root", "-cf", tmp_path / "root.tar", "."], check=True)
    try:
        run("import", str(tmp_path / "root.tar"), image)
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
        command = ("/bin/busybox", "httpd", "-f", "-p", str(here), "-h", "/www")
        run("run", "-d", *limits, "--name", name, "--network", "host", image, *command)
        pid = int(run("inspect", "-f", "{{.State.Pid}}", name))
        wait_until(lambda: has_port(pid, here), "httpd")
        run("pause", name)
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
        assert found["remedy"] == f"podman unpause {name}"
        run(*found["remedy"].split()[1:])
        return found, check(f"http://127.0.0.1:{here}/")
    finally:
        subprocess.run([*podman, "unpause", name], capture_output=True, check=False, timeout=120)
        subprocess.run([*podman, "rm", "-f", "-t", "0", name], capture_output=True, check=False, timeout=120)
        subprocess.run([*podman, "rmi", "-f", image], capture_output=True, check=False, timeout=120)


# a full backlog


@contextlib.contextmanager
def crowd(port: int, count: int) -> Iterator[None]:
    """So many clients that have connected, and wait."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
        yield


@case("backlog-full", "a program that never accepts, and whose backlog of 1 is full")
def test_full_backlog(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "sleep", "backlog=1"), crowd(here, 2):
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
    assert "2 connections wait" in found["cause"]
    assert found["fault"] == "server"
    return found


@case("backlog-full", "a Node server that computes for ever, and whose backlog of 4 is full")
def test_full_backlog_of_node(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    program = tmp_path / "busy.js"
    program.write_text(
        "const lock = new Int32Array(new SharedArrayBuffer(4))\n"
        f"require('http').createServer(() => {{}}).listen({{port: {here}, host: '127.0.0.1', backlog: 4}},\n"
        "  () => Atomics.wait(lock, 0, 0))\n"
    )
    with running(tool("node"), program) as one:
        wait_until(lambda: has_port(one.pid, here), "node")
        with crowd(here, 5):
            return check(f"http://127.0.0.1:{here}/", *QUICK)


@case("starting", "the same with room in the backlog, just started", near="backlog-full")
def test_half_full(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "sleep", "backlog=16"), crowd(here, 8):
        return check(f"http://127.0.0.1:{here}/", *QUICK)


@case("ok", "a busy server with connections that wait, which accepts", near="backlog-full")
def test_busy(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "busy", "backlog=16"), crowd(here, 8):
        return check(f"http://127.0.0.1:{here}/")


# out of descriptors

LIMITED = ("sh", "-c", 'ulimit -S -n 40 && exec "$@"', "sh")


@case("out-of-descriptors", "a server that has opened all 40 descriptors that it may", cured=True)
def test_out_of_descriptors(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with serving("127.0.0.1", here, "http", "descriptors=0", prefix=LIMITED) as pid:
        wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) == 40, "40 descriptors")
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
        assert "40 of 40" in found["cause"]
        follow(commands(found, "prlimit ")[0])
        return found, check(f"http://127.0.0.1:{here}/")


@case("ok", "a server with many descriptors, and some left", near="out-of-descriptors")
def test_some_descriptors_left(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "http", "descriptors=8", prefix=LIMITED) as pid:
        wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) == 32, "32 descriptors")
        return check(f"http://127.0.0.1:{here}/")


# says nothing, closes


@case("no-answer", "a server that accepts, and says nothing", near="closed-early")
def test_mute(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "mute"):
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
    assert found["confidence"] == "likely"
    return found


@case("closed-early", "a server that accepts, and closes", near="no-answer")
def test_hang_up(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here, "hang-up"):
        return check(f"127.0.0.1:{here}", *QUICK)


@case("closed-early", "a forwarder whose target nobody listens on, as a proxy of a container is", cured=True)
def test_forwarder_to_nothing(check: Check) -> tuple[Diagnosis, Diagnosis]:
    here, nobody = free_ports(2)
    with running(tool("socat"), f"TCP-LISTEN:{here},bind=127.0.0.1,fork,reuseaddr", f"TCP:127.0.0.1:{nobody}") as one:
        wait_until(lambda: has_port(one.pid, here), "socat")
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
        assert found["remedy"] == f"homeport check 127.0.0.1:{nobody}"
        assert check(f"127.0.0.1:{nobody}", *QUICK)["verdict"] == "nothing-listens"
        with serving("127.0.0.1", nobody):
            return found, check(f"http://127.0.0.1:{here}/")


@case("ok", "a forwarder whose target answers", near="closed-early")
def test_forwarder(check: Check) -> Diagnosis:
    here, real = free_ports(2)
    words = (f"TCP-LISTEN:{here},bind=127.0.0.1,fork,reuseaddr", f"TCP:127.0.0.1:{real}")
    with serving("127.0.0.1", real), running(tool("socat"), *words) as one:
        wait_until(lambda: has_port(one.pid, here), "socat")
        return check(f"http://127.0.0.1:{here}/")


# starting


@case("starting", "a server that was told the port by an argument, and does not listen yet", cured=True)
def test_starting(check: Check, here: int) -> tuple[Diagnosis, Diagnosis]:
    with running(sys.executable, "-c", LATE, "--port", str(here)) as one:
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
        assert str(one.pid) in found["cause"]
        assert found["confidence"] == "likely"
        assert commands(found, "homeport check ")[0].endswith("--watch")
        one.send_signal(signal.SIGUSR1)  # its start-up is over
        wait_until(lambda: has_port(one.pid, here), "the server")
        return found, check(f"http://127.0.0.1:{here}/")


LATE = """
import http.server, os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
signal.sigwait([signal.SIGUSR1])
port = int(os.environ.get("PORT") or sys.argv[2])
http.server.HTTPServer(("127.0.0.1", port), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@case("starting", "a Python server that was told PORT, and does not listen yet")
def test_starting_by_environment(check: Check, here: int) -> Diagnosis:
    with running(sys.executable, "-c", LATE, env={"PORT": str(here)}):
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
    assert f"PORT={here}" in str(found["evidence"])
    return found


@case("nothing-listens", "a young shell, and a pager in it, with PORT in their environment", near="starting")
def test_a_shell_with_the_variable(check: Check, here: int) -> Diagnosis:
    with running("bash", "-c", "sleep 1000; true", env={"PORT": str(here)}):
        return check(f"http://127.0.0.1:{here}/", *QUICK)


@case("nothing-listens", "the caller's own shell has PORT in its environment", near="starting")
def test_the_callers_environment(check: Check, here: int) -> Diagnosis:
    prefix = (sys.executable, "-c", "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)")
    return check(f"http://127.0.0.1:{here}/", *QUICK, env={"PORT": str(here)}, prefix=prefix)


# crashing


CRASH = "import sys, time; time.sleep(0.1); sys.exit('no database')"


@case("crash-loop", "a shell loop that starts a crashing server again and again", near="starting")
def test_shell_loop(check: Check, here: int) -> Diagnosis:
    loop = f'while :; do "{sys.executable}" -c "{CRASH}" --port {here}; done'
    with running("sh", "-c", loop):
        found = check(f"http://127.0.0.1:{here}/", *QUICK)
    assert found["fault"] == "server"
    assert f"--port {here}" in str(found["evidence"]) + str(found["remedies"])
    return found


LISTENS_AND_ENDS = (
    "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
    " time.sleep(0.1); sys.exit('no database')"
)


@case("crash-loop", "a server that listens for a moment before each crash", near="closed-early")
def test_loop_of_a_server_that_listens_for_a_moment(check: Check, here: int) -> Diagnosis:
    loop = f'while :; do "{sys.executable}" -c "{LISTENS_AND_ENDS}" {here}; done'
    with running("sh", "-c", loop):
        return check(f"http://127.0.0.1:{here}/", "--timeout", "10")


@case("crash-loop", "a loop with half a second between the attempts")
def test_slow_loop(check: Check, here: int) -> Diagnosis:
    loop = f'while :; do PORT={here} "{sys.executable}" -c "{CRASH}"; sleep 0.5; done'
    with running("sh", "-c", loop):
        return check(f"http://127.0.0.1:{here}/", "--timeout", "10")


@case("crash-loop", "a server that supervisord starts again and again")
def test_supervisord(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    program = tmp_path / "shop.py"
    program.write_text("import time\ntime.sleep(0.6)\nraise SystemExit('no database')\n")
    (tmp_path / "supervisord.conf").write_text(
        f"[supervisord]\nnodaemon=true\nuser=root\nlogfile={tmp_path}/log\npidfile={tmp_path}/pid\n"
        f"[program:shop]\ncommand={sys.executable} {program} --port {here}\nautorestart=true\nstartsecs=0\n"
    )
    with running(tool("supervisord"), "-c", tmp_path / "supervisord.conf") as one:
        wait_until(lambda: bool(children(one.pid)), "the program")
        found = check(f"http://127.0.0.1:{here}/", "--timeout", "10")
    assert "shop.py" in found["cause"]
    return found


@case("ok", "a server that crashed once, was started again, and runs", near="crash-loop")
def test_one_crash(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    script = tmp_path / "start.sh"
    serve = f'"{sys.executable}" -m http.server --bind 127.0.0.1 {here}'
    script.write_text(f'"{sys.executable}" -c "{CRASH}" --port {here}\n{serve} &\nwait\n')
    with running("sh", script, cwd=tmp_path) as one:
        wait_until(lambda: any(has_port(pid, here) for pid in children(one.pid)), "http.server")
        return check(f"http://127.0.0.1:{here}/")


@case("starting", "two workers side by side that were told the port, and do not listen yet", near="crash-loop")
def test_workers_are_no_loop(check: Check, here: int) -> Diagnosis:
    words = (sys.executable, "-c", LATE, "--port", str(here))
    with running(*words), running(*words):
        return check(f"http://127.0.0.1:{here}/", *QUICK)


@case("starting", "Redis that loads its data, and says so", near="ok")
def test_loading_redis(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    words = (tool("redis-server"), "--port", str(here), "--bind", "127.0.0.1", "--dir", str(tmp_path))
    with running(*words, "--save", "") as one:
        wait_until(lambda: has_port(one.pid, here), "redis")
        with socket.create_connection(("127.0.0.1", here), 10) as client:
            client.sendall(b"".join(b"SET key%d x\r\n" % number for number in range(3000)))
            client.sendall(b"SAVE\r\n")
            said = b""
            while said.count(b"\r\n") < 3001:
                said += client.recv(65536)
    slow = ("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
    with running(*words, *slow) as one:
        wait_until(lambda: has_port(one.pid, here), "redis")
        return check(f"redis://127.0.0.1:{here}")
