"""`homeport logs` with real servers, followed through what becomes of their logs."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import homeport

ROOT = Path(__file__).resolve().parents[2]
HOMEPORT = (sys.executable, "-P", "-m", "homeport")
PODMAN = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")
Start = Callable[..., int]
Wait = Callable[[int], None]
Done = subprocess.CompletedProcess[str]


def logs(*words: str | int, env: dict[str, str] | None = None, before: tuple[str, ...] = ()) -> Done:
    command = [*before, *HOMEPORT, "logs", *map(str, words)]
    return subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False, timeout=120, cwd="/"
    )


def sources(*words: str | int, code: int = 0, env: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    done = logs(*words, "--sources", "--json", env=env)
    assert done.returncode == code, (done.returncode, done.stderr)
    return {one["label"]: one for one in json.loads(done.stdout)["sources"]}


def get(port: int, path: str = "/") -> None:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read()
    except urllib.error.HTTPError:
        pass


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Follower:
    """`homeport logs ADDR --follow`, with what it has written so far."""

    def __init__(self, *words: str | int, env: dict[str, str] | None = None, before: tuple[str, ...] = ()) -> None:
        command = [*before, *HOMEPORT, "logs", *map(str, words), "--follow"]
        self.process = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, text=True, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.out: list[str] = []
        self.errors: list[str] = []
        self.threads = [
            threading.Thread(target=self._collect, args=pair)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.errors))
        ]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _collect(stream: Any, into: list[str]) -> None:
        for line in stream:
            into += [line.rstrip("\n")]

    def sees(self, text: str) -> None:
        until(lambda: any(text in line for line in self.out), f"{text!r} in {self.out} {self.errors}")

    def says(self, text: str) -> None:
        until(lambda: any(text in line for line in self.errors), f"{text!r} in {self.errors} {self.out}")

    def count(self, text: str) -> int:
        return sum(text in line for line in self.out)

    def end(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        for thread in self.threads:
            thread.join(30)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code


@pytest.fixture
def follow() -> Iterator[Callable[..., Follower]]:
    """`follow(8080)`: a follower that is ended after the test."""
    running: list[Follower] = []

    def begin(*words: str | int, env: dict[str, str] | None = None, before: tuple[str, ...] = ()) -> Follower:
        running.append(Follower(*words, env=env, before=before))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
        if one.process.stdout is not None and not one.process.stdout.closed:
            one.end()


def nginx_configuration(folder: Path, port: int) -> Path:
    (folder / "conf.d").mkdir()
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text("hello\n")
    (folder / "logs").mkdir()
    (folder / "conf.d" / "site.conf").write_text(
        f"server {{ listen 127.0.0.1:{port}; root {folder}/www; access_log {folder}/logs/site.log combined;\n"
        f"  location /bad {{ return 500; }} }}\n"
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"user root; pid {folder}/nginx.pid; error_log {folder}/logs/trouble.log notice; daemon off;\n"
        f"events {{}}\nhttp {{ include conf.d/*.conf; client_body_temp_path {folder}; proxy_temp_path {folder};\n"
        f"  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder}; }}\n"
    )
    return path


def test_nginx_by_its_configuration_followed_through_a_rotation(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    pid = start("nginx", "-c", nginx_configuration(tmp_path, port), "-p", tmp_path)
    wait_for(port)
    get(port, "/")
    get(port, "/missing")
    get(port, "/bad")
    folder = tmp_path / "logs"
    found = sources(port)
    assert {one["what"] for one in found.values()} >= {str(folder / "site.log"), str(folder / "trouble.log")}
    done = logs(port)
    assert done.returncode == 0
    assert "site.log | " in done.stdout and "trouble.log | " in done.stdout
    assert '"GET /missing HTTP/1.1" 404' in done.stdout
    assert "(2: No such file or directory)" in done.stdout
    bad = logs(port, "--level", "error").stdout
    assert '"GET /bad HTTP/1.1" 500' in bad and "404" not in bad and "(2: No such file" in bad
    errors = logs(port, "--errors").stdout
    assert "HTTP 500 for GET /bad" in errors and "HTTP 404 for GET /missing" in errors

    follower = follow(port, "-n", 0)
    follower.says("site.log")
    get(port, "/before")
    follower.sees("GET /before")
    (folder / "site.log").rename(folder / "site.log.1")
    get(port, "/between")
    follower.sees("GET /between")
    os.kill(pid, signal.SIGUSR1)
    until((folder / "site.log").exists, "nginx opens its log again")
    get(port, "/after")
    follower.sees("GET /after")
    follower.says("was replaced by a new file")
    get(port, "/last")
    follower.sees("GET /last")
    assert [follower.count(f'"GET /{name} HTTP/1.1" 404') for name in ("before", "between", "after", "last")] == [
        1,
        1,
        1,
        1,
    ]
    assert follower.end() == 130


@pytest.fixture
def cluster(tmp_path: Path, start: Start, port: int, wait_for: Wait) -> Iterator[Callable[..., Path]]:
    """`cluster("logging_collector=on")`: the data folder of a PostgreSQL that runs with these settings."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    folder = Path(tempfile.mkdtemp(prefix="hp-logs-", dir="/tmp"))
    shutil.chown(folder, "postgres", "postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"]

    def make(*settings: str, errors: Path | None = None) -> Path:
        data = folder / "data"
        subprocess.run(
            [*as_postgres, binaries / "initdb", "-D", data, "-A", "trust", "--no-sync"], check=True, capture_output=True
        )
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{one}\n" for one in settings)
        words = f"{binaries}/postgres -D {data} -k {folder} -p {port} -c listen_addresses=127.0.0.1 -c fsync=off"
        start("runuser", "-u", "postgres", "--", "sh", "-c", f"exec {words} 2>>{errors or '/dev/null'}")
        wait_for(port)
        return data

    yield make
    pid_file = folder / "data" / "postmaster.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
        until(lambda: not pid_file.exists(), "PostgreSQL ends")
    shutil.rmtree(folder, ignore_errors=True)


def psql(port: int, text: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        done = subprocess.run(
            ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-c", text], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if "starting up" not in done.stderr:
            return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_postgresql_with_its_collector(
    cluster: Callable[..., Path], port: int, follow: Callable[..., Follower]
) -> None:
    data = cluster("logging_collector=on", "log_filename='server-%H%M%S.log'")
    psql(port, "select * from no_such_table")
    done = logs(port)
    assert done.returncode == 0, done.stderr
    assert 'ERROR:  relation "no_such_table" does not exist' in done.stdout
    assert str(data / "log" / "server-") in done.stderr
    (one,) = [
        each
        for each in json.loads(logs(port, "--level", "error", "--json").stdout)["lines"]
        if "no_such_table" in each["message"]
    ]
    assert one["level"] == "error"
    assert "STATEMENT:  select * from no_such_table" in one["text"]
    follower = follow(port, "-n", 0)
    follower.says("server-")
    psql(port, "select pg_rotate_logfile()")
    psql(port, "select * from another_table")
    follower.sees('relation "another_table" does not exist')
    assert follower.end() == 130


def test_postgresql_with_standard_error_in_a_file(cluster: Callable[..., Path], port: int) -> None:
    path = Path(tempfile.mkdtemp(prefix="hp-logs-", dir="/tmp")) / "pg.txt"
    try:
        path.parent.chmod(0o755)
        path.touch()
        shutil.chown(path, "postgres", "postgres")
        cluster("logging_collector=off", errors=path)
        psql(port, "select 1/0")
        found = sources(port)
        assert found["pg.txt"]["what"] == str(path)
        assert found["pg.txt"]["readable"] is True
        assert "ERROR:  division by zero" in logs(port, "--level", "error").stdout
    finally:
        shutil.rmtree(path.parent)


SERVER_JS = """
const server = require("http").createServer((request, answer) => {
  if (request.url.startsWith("/throw")) console.error(new TypeError("no cart " + process.hrtime()[1]).stack);
  const level = request.url === "/bad" ? 50 : 30;
  console.log(JSON.stringify({level, time: Date.now(), msg: "request " + request.url}));
  answer.end("hello\\n");
});
server.listen(Number(process.argv[2]), "127.0.0.1");
"""


def test_nginx_in_the_background_tells_its_configuration_in_its_title(
    wait_for: Wait, port: int, tmp_path: Path
) -> None:
    path = nginx_configuration(tmp_path, port)
    path.write_text(path.read_text().replace("daemon off;", ""))
    site = tmp_path / "conf.d" / "site.conf"
    site.write_text(site.read_text().replace("/logs/site.log", "/visits").replace("combined", "combined buffer=1m"))
    subprocess.run(["nginx", "-p", tmp_path, "-c", path], check=True, stdin=subprocess.DEVNULL, capture_output=True)
    try:
        wait_for(port)
        found = sources(port)
        assert "visits" in found and not any((one["what"] or "").startswith("/var/log/nginx") for one in found.values())
    finally:
        os.kill(int((tmp_path / "nginx.pid").read_text()), signal.SIGQUIT)


def test_a_pipeline_of_filters_leads_to_the_file_at_its_end(
    start: Start, wait_for: Wait, port: int, tmp_path: Path
) -> None:
    (tmp_path / "server.js").write_text(SERVER_JS)
    start("sh", "-c", f"node server.js {port} 2>&1 | grep --line-buffered request | cat >kept 2>unkept", cwd=tmp_path)
    wait_for(port)
    get(port, "/fine")
    until(lambda: "request /fine" in (tmp_path / "kept").read_text(), "the line")
    found = sources(port)
    assert [label for label, one in found.items() if one["readable"] and one["kind"] != "crash"] == ["kept"], found
    assert "request /fine" in logs(port).stdout


def test_a_node_server_to_a_file_that_is_truncated_by_a_copy(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    (tmp_path / "server.js").write_text(SERVER_JS)
    start("sh", "-c", f"exec node server.js {port} >>out.txt 2>>errors.txt", cwd=tmp_path)
    wait_for(port)
    get(port, "/bad")
    get(port, "/fine")
    get(port, "/throw")
    get(port, "/throw")
    until(lambda: (tmp_path / "out.txt").read_text().count("\n") == 4, "four lines")
    assert {"out.txt", "errors.txt"} <= sources(port).keys()
    document = json.loads(logs(port, "--json").stdout)
    levels = {one["message"]: one["level"] for one in document["lines"]}
    assert levels["request /bad"] == "error" and levels["request /fine"] == "info"
    assert sum("no cart" in message for message in levels) == 2
    (stack,) = {
        one["text"].split("\n")[1].strip().split(" ")[0] for one in document["lines"] if "no cart" in one["text"]
    }
    assert stack == "at"
    groups = json.loads(logs(port, "--errors", "--json").stdout)["groups"]
    assert ("TypeError: no cart <n>", 2) in [(one["shape"], one["count"]) for one in groups]

    follower = follow(port, "-n", 0)
    follower.says("out.txt")
    get(port, "/one")
    follower.sees("request /one")
    shutil.copy(tmp_path / "out.txt", tmp_path / "out.txt.1")
    os.truncate(tmp_path / "out.txt", 0)
    get(port, "/two")
    follower.sees("request /two")
    follower.says("was truncated")
    assert follower.count("request /one") == 1
    assert follower.end() == 130


DATED_PY = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for day in range(int(sys.argv[2])):
    with open(f"app-{day}.log", "a", buffering=1) as file:
        listener.accept()[0].close()
        for number in range(500):
            print(time.strftime("%Y-%m-%d %H:%M:%S"), "INFO day", day, "number", number, file=file)
listener.accept()
"""


def test_files_named_by_date_are_followed_from_one_to_the_next(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    (tmp_path / "server.py").write_text(DATED_PY)
    start(sys.executable, "server.py", str(port), "4", cwd=tmp_path)
    until(lambda: (tmp_path / "app-0.log").exists(), "the first file")
    follower = follow(port, "-n", 0)
    follower.says("app-0.log")
    for day in range(4):
        until(lambda day=day: (tmp_path / f"app-{day}.log").exists(), "the file of the day")  # type: ignore[misc]
        socket.create_connection(("127.0.0.1", port)).close()
        follower.says(f"app-{day}.log")
        follower.sees(f"day {day} number 498")
    follower.sees("day 3 number 499")
    expected = [f"INFO day {day} number {number}" for day in range(4) for number in range(500)]
    assert [line[line.index("INFO") :] for line in follower.out] == expected


def test_a_follower_that_writes_to_the_log_itself_does_not_feed_on_its_own_lines(
    start: Start, wait_for: Wait, port: int, tmp_path: Path
) -> None:
    (tmp_path / "server.js").write_text(SERVER_JS)
    start("sh", "-c", f"exec node server.js {port} >>all.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    with (
        (tmp_path / "all.txt").open("a") as log,
        subprocess.Popen(
            [*HOMEPORT, "logs", str(port), "--follow"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.PIPE,
            text=True,
        ) as follower,
    ):
        assert follower.stderr is not None
        assert "this command writes there itself" in follower.stderr.readline()
        get(port, "/bad")
        until(lambda: "request /bad" in (tmp_path / "all.txt").read_text(), "the line")
        assert follower.wait(30) == 1  # there is nothing else to follow
    assert (tmp_path / "all.txt").read_text().count("request /bad") == 1


COMPLAINS_JS = """
require("http").createServer((asked, answer) => { console.log("ERROR asked for " + asked.url); answer.end("no") })
  .listen(process.argv[2], "127.0.0.1")
"""


def test_the_page_tells_no_error_that_its_own_look_makes(
    start: Start, wait_for: Wait, port: int, tmp_path: Path
) -> None:
    (tmp_path / "server.js").write_text(COMPLAINS_JS)
    start("sh", "-c", f"exec node server.js {port} >>out.txt 2>&1", cwd=tmp_path)
    wait_for(port)

    def page() -> dict[str, Any]:
        done = subprocess.run([*HOMEPORT, str(port), "--json"], capture_output=True, text=True, check=True, cwd="/")
        return dict(json.loads(done.stdout)["logs"])

    assert page()["lines"] == []
    assert "ERROR asked for /" in (tmp_path / "out.txt").read_text()  # it has looked all the same
    assert page()["lines"] != []


def test_a_deleted_log_is_read_through_the_descriptor(start: Start, wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "server.js").write_text(SERVER_JS)
    start("sh", "-c", f"exec node server.js {port} >>server.log 2>&1", cwd=tmp_path)
    wait_for(port)
    get(port, "/kept")
    (tmp_path / "server.log").unlink()
    found = sources(port)
    assert found["server.log"]["kind"] == "deleted-file"
    assert "request /kept" in logs(port).stdout


SERVER_PY = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/throw":
            raise ValueError("no such cart")
        self.send_error(404) if self.path == "/missing" else self.send_response(200)
        self.end_headers()
print("ready to serve", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_python_server_on_a_terminal_says_which_and_what_would_help(
    wait_for: Wait, port: int, tmp_path: Path
) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    command = [sys.executable, "server.py", str(port)]
    server = subprocess.Popen(command, cwd=tmp_path, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    try:
        wait_for(port)
        found = sources(port)
        one = found["stdout and stderr"]
        assert (one["kind"], one["what"], one["readable"]) == ("terminal", name, False)
        assert "cannot be read back" in one["reason"] and "tee" in one["remedy"]
        assert str(os.getpid()) in one["reason"]  # this process has the other end
        done = logs(port)
        assert done.returncode == 1
        assert name in done.stderr and "tee" in done.stderr
        assert done.stdout == ""
    finally:
        server.kill()
        server.wait()
        os.close(master)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """`tmux("command …")` in a window of a server of its own."""
    socket = tmp_path / "tmux.sock"

    def run(command: str) -> None:
        subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", socket, "new-session", "-d", "-s", "work", "-x", "200", command],
            check=True, env={**os.environ, "TERM": "xterm"}, cwd=tmp_path,
        )  # fmt: skip

    yield run
    subprocess.run(["tmux", "-S", socket, "kill-server"], capture_output=True, check=False)


def test_a_python_server_in_tmux_is_read_from_its_window(
    tmux: Callable[..., None], wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    tmux(f"{sys.executable} server.py {port}")
    wait_for(port)
    get(port, "/missing")
    found = sources(port)
    assert found["tmux work:0.0"]["kind"] == "pane"
    done = logs(port)
    assert done.returncode == 0
    assert "ready to serve" in done.stdout
    assert '"GET /missing HTTP/1.1" 404' in done.stdout
    follower = follow(port, "-n", 0)
    follower.says("tmux")
    get(port, "/later")
    follower.sees("GET /later")
    assert follower.end() == 130


def test_a_server_in_screen_is_read_from_its_window(wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    name = f"hp-logs-{os.getpid()}"
    environment = {**os.environ, "SCREENDIR": str(tmp_path / "screens"), "TERM": "xterm"}
    (tmp_path / "screens").mkdir(mode=0o700)
    subprocess.run(
        ["screen", "-c", "/dev/null", "-dmS", name, sys.executable, "server.py", str(port)], cwd=tmp_path,
        env=environment, check=True,
    )  # fmt: skip
    try:
        wait_for(port)
        until(lambda: "ready to serve" in logs(port, env=environment).stdout, "the window's content")
    finally:
        subprocess.run(["screen", "-S", name, "-X", "quit"], env=environment, capture_output=True, check=False)


def test_a_pipe_to_tee_leads_to_its_file(start: Start, wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    start("sh", "-c", f"{sys.executable} server.py {port} 2>&1 | tee copy.txt", cwd=tmp_path)
    wait_for(port)
    found = sources(port)
    assert "tee" in found["stdout and stderr"]["reason"]
    assert found["copy.txt"]["what"] == str(tmp_path / "copy.txt")
    assert "ready to serve" in logs(port).stdout


def test_what_is_thrown_away_is_said_and_the_answer_is_no(start: Start, wait_for: Wait, port: int) -> None:
    start(sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
    wait_for(port)
    done = logs(port)
    assert done.returncode == 1
    assert "thrown away" in done.stderr
    assert logs(port, "--sources").returncode == 0


def test_nothing_listens_there(port: int) -> None:
    done = logs(port)
    assert done.returncode == 1
    assert f"nothing listens at {port}" in done.stderr


def test_redis_by_its_configuration(start: Start, wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "redis.conf").write_text(
        f'port {port}\nbind 127.0.0.1\ndir {tmp_path}\nlogfile {tmp_path}/hp-redis.log\nsave ""\n'
    )
    start("redis-server", tmp_path / "redis.conf")
    wait_for(port)
    found = sources(port)
    assert found["hp-redis.log"]["readable"] is True
    assert "logfile" in json.dumps(found["hp-redis.log"]["evidence"])
    assert "eady to accept connections" in logs(port, "--level", "notice").stdout


def test_supervisord_keeps_its_programs_output(start: Start, wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    (tmp_path / "s.conf").write_text(
        f"[supervisord]\nnodaemon=true\nlogfile={tmp_path}/supervisord.log\npidfile={tmp_path}/s.pid\nuser=root\n"
        f"[program:shop]\ncommand={sys.executable} {tmp_path}/server.py {port}\n"
        f"stdout_logfile=%(here)s/%(program_name)s.out.log\nstderr_logfile={tmp_path}/shop.err.log\n"
    )
    start("supervisord", "-c", tmp_path / "s.conf")
    wait_for(port)
    get(port, "/missing")
    found = sources(port)
    assert {"shop.out.log", "shop.err.log"} <= found.keys()
    assert "supervisord" in found["stdout"]["reason"]
    text = logs(port).stdout
    assert "ready to serve" in text and "404" in text


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


@pytest.fixture
def nobody() -> Iterator[Callable[..., Done]]:
    """`nobody(8080)`: homeport logs as an ordinary user, who may read neither root's home nor its environment."""
    folder = Path(tempfile.mkdtemp(prefix="hp-logs-"))
    for package in (homeport, click):
        source = Path(package.__file__ or "").parent
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    folder.chmod(0o755)
    user = ["runuser", "-u", "nobody", "--"]
    works = subprocess.run([*user, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0
    python = sys.executable if works else "/usr/bin/python3"

    def run(*words: str | int) -> Done:
        command = [*user, "env", f"PYTHONPATH={folder}", "HOME=/", python, "-P", "-B", "-m", "homeport", "logs"]
        return subprocess.run(
            [*command, *map(str, words)], capture_output=True, text=True, check=False, timeout=120, cwd="/"
        )

    yield run
    shutil.rmtree(folder)


def test_another_users_logs_say_what_cannot_be_read_and_why(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, nobody: Callable[..., Done]
) -> None:
    start("nginx", "-c", nginx_configuration(tmp_path, port), "-p", tmp_path)
    wait_for(port)
    done = nobody(port)
    assert done.returncode == 3, (done.returncode, done.stdout, done.stderr)
    assert "root" in done.stderr or "user" in done.stderr
    assert "sudo" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_reader_goes_away_and_the_follower_ends(start: Start, wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    start("sh", "-c", f"exec {sys.executable} server.py {port} >out.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    follower = subprocess.Popen([*HOMEPORT, "logs", str(port), "-f"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert follower.stdout is not None
    assert follower.stdout.readline()
    follower.stdout.close()
    assert follower.wait(30) in (0, -signal.SIGPIPE)


def test_the_end_of_the_owner_is_said_and_its_successor_is_followed(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    first = start("sh", "-c", f"exec {sys.executable} server.py {port} >first.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    follower = follow(port)
    follower.sees("ready to serve")
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    follower.says("has ended")
    start("sh", "-c", f"exec {sys.executable} server.py {port} >second.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    follower.says("is held by")
    follower.says("second.txt")
    get(port, "/again")
    follower.sees("GET /again")
    assert follower.end() == 130


def test_json_lines_while_following(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    (tmp_path / "server.py").write_text(SERVER_PY)
    start("sh", "-c", f"exec {sys.executable} server.py {port} >out.txt 2>&1", cwd=tmp_path)
    wait_for(port)
    follower = follow(port, "--json")
    follower.sees('"event": "source"')
    get(port, "/missing")
    follower.sees("GET /missing")
    records = [json.loads(line) for line in follower.out]
    assert {one["command"] for one in records} == {"logs"}
    assert any(one["event"] == "line" and one["level"] == "warning" for one in records)
    assert follower.end() == 130


LOGFMT = """
import socket, sys, time
one = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for number in range(200):
    level = "error" if number % 4 == 0 else "warn" if number % 10 == 1 else "info"
    text = f"cannot reach 10.0.0.{number}:5432 for order {number * 7}" if level == "error" else f"took {number} ms"
    print(f'time=2026-11-20T10:{number // 60:02}:{number % 60:02}Z level={level} msg="{text}" n={number}', flush=True)
while True:
    one.accept()[0].close()
"""


def test_errors_of_a_noisy_logfmt_log_are_grouped(start: Start, wait_for: Wait, port: int, tmp_path: Path) -> None:
    (tmp_path / "noise.py").write_text(LOGFMT)
    start("sh", "-c", f"exec {sys.executable} noise.py {port} >noise.log 2>&1", cwd=tmp_path)
    wait_for(port)
    groups = json.loads(logs(port, "--errors", "--json").stdout)["groups"]
    assert [(one["level"], one["shape"], one["count"]) for one in groups] == [
        ("error", "cannot reach <address> for order <n>", 50),
        ("warning", "took <n> ms", 20),
    ]
    assert groups[0]["last"] == "2026-11-20T10:03:16+00:00"
    text = logs(port, "--errors").stdout
    assert "50x error" in text and "cannot reach 10.0.0.196:5432" in text
    since = logs(port, "--since", "2026-11-20T10:03:10Z", "--grep", "order 13.*n=")
    assert [line.rsplit("n=", 1)[1] for line in since.stdout.splitlines()] == ["192", "196"]
    slow = logs(port, "--grep", "(e+)+$x|(.*.*)*=$")
    assert slow.returncode in (0, 2)
    assert logs(port, "--grep", "(").returncode == 2


def test_mariadb_by_its_configuration(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    data, logs_of = tmp_path / "data", tmp_path / "kept"
    (data / "mysql").mkdir(parents=True)
    logs_of.mkdir()
    option_file = tmp_path / "my.cnf"
    option_file.write_text(
        f"[mariadbd]\nuser = root\ndatadir = {data}\nsocket = {tmp_path}/socket\npid-file = {tmp_path}/pid\n"
        f"bind-address = 127.0.0.1\nport = {port}\nskip-networking = 0\nskip-grant-tables\n"
        "innodb-buffer-pool-size = 8M\ninnodb-log-file-size = 4M\n"
        f"log_error = {logs_of}/trouble.err\ngeneral_log = 1\ngeneral_log_file = {logs_of}/queries\n"
    )
    start("mariadbd", f"--defaults-file={option_file}")
    wait_for(port)
    found = sources(port)
    assert {found[label]["what"] for label in ("trouble.err", "queries")} == {
        str(logs_of / "trouble.err"), str(logs_of / "queries")
    }  # fmt: skip
    assert "ready for connections" in logs(port).stdout
    follower = follow(port, "-n", 0)
    follower.says("queries")
    (logs_of / "queries").rename(logs_of / "queries.1")
    client = ["mariadb", "--no-defaults", f"--socket={tmp_path}/socket", "--execute"]
    for statement in ("flush logs", "select 'from another file'"):
        subprocess.run([*client, statement], check=True, capture_output=True)
    follower.sees("select 'from another file'")
    assert follower.count("select 'from another file'") == 1
    assert follower.end() == 130


def test_apache_by_its_configuration_and_through_rotatelogs(
    start: Start, wait_for: Wait, port: int, tmp_path: Path, follow: Callable[..., Follower]
) -> None:
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
        for name in ("mpm_event", "authz_core", "dir")
    )
    configuration = tmp_path / "apache.conf"
    configuration.write_text(
        f"ServerRoot {tmp_path}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {tmp_path}/pid\n{modules}\n"
        f"Define KEPT {tmp_path}/kept\nErrorLog ${{KEPT}}/trouble\nLogLevel info\n"
        f'CustomLog "|/usr/bin/rotatelogs -n 3 {tmp_path}/visits 1M" "%h %l %u %t \\"%r\\" %>s %b"\n'
    )
    (tmp_path / "kept").mkdir()
    start("apache2", "-f", configuration, "-X")
    wait_for(port)
    get(port, "/missing")
    found = sources(port)
    assert found["trouble"]["what"] == str(tmp_path / "kept" / "trouble")
    assert found["visits"]["what"] == str(tmp_path / "visits")
    until(lambda: '"GET /missing HTTP/1.1" 404' in logs(port, "--level", "warning").stdout, "the request")
    follower = follow(port, "-n", 0)
    follower.says("visits")
    get(port, "/again")
    follower.sees("GET /again")
    assert follower.end() == 130
