"""Servers whose configuration says where they log, followed through their own rotations."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.acceptance.logs.asking import (
    SERVER_PY,
    Follower,
    Start,
    Wait,
    get,
    logs,
    nginx_configuration,
    sources,
    until,
)


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
