"""What an owner logged, for the page and for the command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homeport.model.addresses import Protocol
from homeport.model.logs import Level, LogKind, LogLine, Logs, LogWish
from homeport.model.owners import Reason, Unattributed
from homeport.model.snapshot import Listener, Query
from homeport.operations import log_following
from homeport.operations import logs as operation
from homeport.operations.logs import logs, recent
from homeport.operations.ls import look
from homeport.system.log_reading import FileLog

Serve = Callable[..., int]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """`serve("code")`: the port of a Python process that listens after that code ran, its output in out.log."""
    running: list[subprocess.Popen[bytes]] = []

    def start(code: str = "", *, tz: str = "UTC") -> int:
        text = f"import socket, sys, os, time\none = socket.create_server(('127.0.0.1', 0))\n{code}\n"
        text += "sys.stdout.flush()\nopen('port', 'w').write(str(one.getsockname()[1]))\ntime.sleep(1000)\n"
        with (tmp_path / "out.log").open("ab") as out:
            running.append(
                subprocess.Popen([sys.executable, "-c", text], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=out, env={**os.environ, "TZ": tz})
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while not (tmp_path / "port").exists() or not (tmp_path / "port").read_text():
            assert running[-1].poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        return int((tmp_path / "port").read_text())

    yield start
    for one in running:
        one.kill()
        one.wait()


def listener(port: int) -> Listener:
    (one,) = look(Query(frozenset((Protocol.TCP,)), frozenset((port,)))).listeners
    return one


def texts(found: Logs) -> list[str]:
    return [one.text for one in found.lines]


NOISE = """
for n in range(3000):
    print(f"2026-11-20T10:{n // 60 % 60:02}:{n % 60:02}Z {'ERROR' if n == 7 else 'INFO'} line {n}")
"""


def test_the_last_lines(serve: Serve) -> None:
    found = logs(str(serve(NOISE)), LogWish(most=3))
    assert [one.rsplit(" ", 1)[1] for one in texts(found)] == ["2997", "2998", "2999"]
    assert [one.readable for one in found.sources] == [True]
    assert logs(str(serve()), LogWish(most=0)).lines == ()


def test_a_rare_error_is_found_farther_back(serve: Serve) -> None:
    found = logs(str(serve(NOISE)), LogWish(most=3, level=Level.ERROR))
    assert [one.rsplit(" ", 1)[1] for one in texts(found)] == ["7"]
    assert found.limits == ()


def test_since(serve: Serve) -> None:
    since = datetime(2026, 11, 20, 10, 49, 58, tzinfo=UTC)
    found = logs(str(serve(NOISE)), LogWish(most=100, since=since))
    assert [one.rsplit(" ", 1)[1] for one in texts(found)] == ["2998", "2999"]


def test_what_since_leaves_out_for_lack_of_a_time_is_said(serve: Serve) -> None:
    since = datetime(2026, 11, 20, tzinfo=UTC)
    port = str(serve("print('ERROR: bad'); print('INFO: fine'); print('ERROR: worse')"))
    found = logs(port, LogWish(most=100, since=since, level=Level.ERROR))
    assert found.lines == ()
    (said,) = found.limits
    assert said.endswith("--since left out 2 entries without a time")
    assert logs(port, LogWish(most=100, level=Level.ERROR)).limits == ()


def test_where_nothing_listens_what_was_told_the_port_is_read(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    code = "import sys, time; print('no database yet', flush=True); open('ready', 'w'); time.sleep(1000)"
    with (tmp_path / "out.log").open("ab") as out:
        command = [sys.executable, "-c", code, f"--port={port}"]
        server = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "ready").exists():
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        found = logs(str(port), LogWish())
    finally:
        server.kill()
        server.wait()
    assert texts(found) == ["no database yet"]
    assert any(str(server.pid) in one and "nothing listens" in one for one in found.hints)


def test_of_a_long_traceback_its_end_is_kept(serve: Serve) -> None:
    code = "print('ERROR: broke'); print('Traceback (most recent call last):'); "
    code += "print(*('  frame',) * 90, sep='\\n'); print('ValueError: boom')"
    (line,) = recent(listener(serve(code)), errors_only=True).lines
    assert (line.text.count("\n"), line.text.rsplit("\n", 1)[1]) == (49, "ValueError: boom")


def test_errors_of_a_listener_for_the_page_are_masked(serve: Serve) -> None:
    code = "print('ERROR: cannot reach postgres://ada:verysecret7@db/shop'); print('ERROR: bad'); print('fine')"
    found = recent(listener(serve(code)), errors_only=True)
    assert len(found.lines) == len(found.groups) == 2
    assert "verysecret7" not in repr(found)
    assert "cannot reach postgres://ada:…@db/shop" in found.lines[0].text


def test_what_is_recent_is_bounded_by_lines_and_time(serve: Serve, tmp_path: Path) -> None:
    one = listener(serve(NOISE))
    with (tmp_path / "out.log").open("r+b") as file:
        file.seek(1 << 30)
        file.write(b"\n" + b"2026-11-21T10:00:00Z ERROR end\n" * 200_000)
    began = time.monotonic()
    found = recent(one, most=5, seconds=0.3)
    errors = recent(one, most=5, seconds=0.3, errors_only=True)
    assert time.monotonic() - began < 20
    assert texts(found) == ["2026-11-21T10:00:00Z ERROR end"] * 5
    assert errors.groups[0].shape == "end"


def test_a_listener_of_nobody_raises_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        mine = listener(one.getsockname()[1])
    nobody = mine._replace(owners=(), unattributed=Unattributed(Reason.OTHER_USER, "held by another", 1))
    assert recent(nobody).sources == ()
    assert isinstance(recent(mine), Logs)  # its owner is this process, the socket is gone


def test_two_sources_are_merged_by_time(serve: Serve, tmp_path: Path) -> None:
    code = """
print("2026-11-20T10:00:00Z INFO first"); print("not dated"); print("2026-11-20T10:00:02Z INFO third")
other = open("other.log", "a"); other.write("2026-11-20T10:00:01Z INFO second\\n"); other.flush()
"""
    found = logs(str(serve(code)), LogWish())
    assert [(one.source, one.text.rsplit(" ", 1)[-1]) for one in found.lines] == [
        ("out.log", "first"), ("out.log", "dated"), ("other.log", "second"), ("out.log", "third")
    ]  # fmt: skip
    assert found.lines[1].inherited


def test_megabytes_in_a_line_and_rubbish(serve: Serve) -> None:
    code = "sys.stdout.buffer.write(b'x' * 5_000_000 + b'\\n' + bytes(range(256)) * 50 + b'\\nend\\n')"
    found = logs(str(serve(code)), LogWish(most=500))
    assert found.lines[0].text.endswith("more bytes)")
    assert len(found.lines[0].text) < 100_000
    assert found.lines[-1].text == "end"


def test_only_a_lot_of_lines_is_looked_at_and_that_is_said(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "MOST_LOOKED_AT", 1000)
    found = logs(str(serve(NOISE)), LogWish(level=Level.ERROR))
    assert found.lines == ()
    (limit,) = [one for one in found.limits if one.startswith("out.log")]
    assert "only its last 1,000 lines were looked at, those since" in limit


def test_only_sources(serve: Serve) -> None:
    found = logs(str(serve(NOISE)), LogWish(sources_only=True))
    assert found.lines == ()
    assert [(one.kind, one.label) for one in found.sources] == [(LogKind.FILE, "out.log")]


def test_a_label_is_unique(serve: Serve) -> None:
    code = "os.mkdir('a'); os.mkdir('b'); files = [open(f'{n}/x.log', 'a') for n in 'ab']"
    found = logs(str(serve(code)), LogWish())
    assert {one.label for one in found.sources} == {"x.log", "b/x.log", "out.log"}


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    found = logs(str(port), LogWish(since=datetime.now(UTC) - timedelta(1)))
    assert (found.sources, found.hints) == ((), (f"nothing listens at {port}",))


def test_a_file_that_takes_anothers_place_between_two_looks_is_no_further_source(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_following, "LOOK_AGAIN", 0.0)
    port = serve(
        "log = open('app.log', 'a', buffering=1)\nprint('INFO line 1', file=log)\n"
        "import signal\ndef rotate(*_):\n    global log\n    os.rename('app.log', 'app.log.1')\n"
        "    log = open('app.log', 'a', buffering=1)\n"
        "    print('INFO line 2', file=log)\nsignal.signal(signal.SIGUSR1, rotate)"
    )
    following = log_following.Following(str(port), LogWish())
    try:
        with monkeypatch.context() as between:
            (owner,) = look(Query(frozenset((Protocol.TCP,)), frozenset((port,)))).listeners[0].owners
            between.setattr(FileLog, "more", lambda _: [])  # it has looked already when the file is renamed
            os.kill(owner.process.pid, signal.SIGUSR1)
            deadline = time.monotonic() + 30
            while not (tmp_path / "app.log.1").exists() or "line 2" not in _text(tmp_path / "app.log"):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert following.poll() == []
        events = following.poll()
        events += following.poll()
        assert [getattr(one, "text", None) for one in events] == ["app.log was replaced by a new file", "INFO line 2"]
    finally:
        following.close()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_each_source_keeps_its_own_order_where_only_some_of_its_lines_tell_fractions() -> None:
    def entry(text: str, second: float | None, source: str) -> LogLine:
        when = None if second is None else datetime(2026, 11, 23, 5, 0, tzinfo=UTC) + timedelta(seconds=second)
        return LogLine(time=when, level=None, text=text, message=text, source=source)

    one = [
        entry("a", 1.5, "one"),
        entry("b", 1, "one"),
        entry("c", 3.2, "one"),
        entry("d", None, "one"),
        entry("e", 3, "one"),
    ]
    other = [entry("x", 1.2, "two"), entry("old", -86_400, "two"), entry("y", 3.1, "two")]
    after = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    found = [each.text for each in operation.in_order([(one, after), (other, after)])]
    assert found == ["old", "a", "b", "x", "c", "d", "e", "y"]
    assert operation.in_order([(other, after)]) == other
