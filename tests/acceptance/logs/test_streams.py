"""Servers that write to files, pipes, terminals, windows, or to nowhere."""

from __future__ import annotations

import json
import os
import pty
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.logs.asking import (
    HOMEPORT,
    SERVER_JS,
    SERVER_PY,
    Follower,
    Start,
    Wait,
    get,
    logs,
    sources,
    until,
)


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
