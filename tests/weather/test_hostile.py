"""Names and command lines that are made to do harm: none of it comes through, and JSON and CSV stay what they are."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest
from tests.weather.conftest import COMMAND, HERE, run

NAME = "\x1b]0;x\x07a\n\u202eb"  # 15 bytes, as the kernel keeps of a name
ARGUMENTS = [
    b"\x1b[2J\x1b]0;owned\x07",
    b"two\nlines",
    "\u202eleft".encode(),
    b"bad \xff\xfe bytes",
    b"wide \xe6\x97\xa5",
    b"\xc2\x9b31m",
    b"x" * 9000,
]
HOSTILE = f"""
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, {NAME!r}.encode(), 0, 0, 0)
one = socket.create_server(("{HERE}", 0))
print(one.getsockname()[1], flush=True)
sys.stdin.read()
"""
ALL_ENVIRONMENTS = [
    {},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C.UTF-8"},
]


@pytest.fixture(scope="module")
def hostile() -> Iterator[int]:
    command: list[str | bytes] = [sys.executable, "-c", HOSTILE, *ARGUMENTS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


def raw(*words: str, env: dict[str, str], source: str) -> bytes:
    done = subprocess.run(
        [*COMMAND, "ls", *words, "--source", source], env={"PATH": "/usr/bin:/bin", "HOMEPORT_NO_HISTORY": "1", **env},
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("env", ALL_ENVIRONMENTS)
@pytest.mark.parametrize("source", ["bpf", "netlink", "psutil"])
def test_text(source: str, env: dict[str, str], hostile: int) -> None:
    for words in ((), ("--wide",), ("--all", "--wide")):
        text = raw(str(hostile), *words, env=env, source=source).decode("utf-8")
        assert all(one.isprintable() or one == "\n" for one in text)
        (line,) = [line for line in text.splitlines() if HERE in line]
        if "--wide" in words:
            assert r"\x1b[2J\x1b]0;owned\x07 two\nlines" in line
            assert r"bad \xff\xfe bytes" in line


@pytest.mark.parametrize("source", ["bpf", "netlink", "psutil"])
def test_json(source: str, hostile: int) -> None:
    data = raw(str(hostile), "--json", env={"PYTHONIOENCODING": "ascii"}, source=source)
    assert data.isascii()
    assert data.count(b"\n") == 1
    (one,) = [one for one in json.loads(data)["listeners"] if one["address"] == HERE]
    (owner,) = one["owners"]
    assert owner["cmdline"][3:] == [text.decode("utf-8", "replace") for text in ARGUMENTS]
    assert msgspec.json.decode(data)["listeners"]
    for reader in (["jq", "."], ["node", "-e", "JSON.parse(require('fs').readFileSync(0))"]):
        assert subprocess.run(reader, input=data, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("source", ["bpf", "netlink", "psutil"])
def test_csv(source: str, hostile: int) -> None:
    text = raw(str(hostile), "--csv", env={}, source=source).decode("utf-8")
    (one,) = [one for one in csv.DictReader(io.StringIO(text, newline="")) if one["address"] == HERE]
    assert one["name"].startswith(r"\x1b]0;x\x07a\n")
    assert None not in one
    assert all(value is not None for value in one.values())


def test_quiet_goes_into_other_programs(hostile: int) -> None:
    done = run([*COMMAND, "ls", f"{HERE}:{hostile}", "-q"])
    (pid,) = done.stdout.split()
    assert run(["ps", "-o", "pid=", "-p", pid]).stdout.strip() == pid
