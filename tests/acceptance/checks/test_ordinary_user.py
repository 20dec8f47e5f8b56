"""What a user who is not root is told: what cannot be seen is said, and nothing is guessed."""

from __future__ import annotations

import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.checks.cases import case
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import commands, free_ports, namespace, serving, tool, wait_until

import homeport

Diagnosis = dict[str, Any]
QUICK = ("--timeout", "2")
NEEDED = ("click", "h2", "hpack", "hyperframe", "httptools", "msgspec", "cryptography", "cffi", "psutil")
"""What a check imports, copied where that user may not read this environment."""


@pytest.fixture(scope="module")
def nobody() -> Iterator[tuple[str, ...]]:
    """The start of a command that runs homeport as `nobody`, by a Python that this user may run."""
    folder = Path(tempfile.mkdtemp(prefix="hp-check-"))
    folder.chmod(0o755)
    shutil.copytree(Path(homeport.__file__).parent, folder / "homeport", ignore=shutil.ignore_patterns("__pycache__"))
    for packages in map(Path, site.getsitepackages()):
        for name in NEEDED:
            for each in (*packages.glob(name), *packages.glob(f"_{name}_backend*"), *packages.glob(f"_{name}*.so")):
                copy = shutil.copytree if each.is_dir() else shutil.copy
                copy(each, folder / each.name)
    runuser = (tool("runuser"), "-u", "nobody", "--")
    try:
        python = next(
            one
            for one in (sys.executable, "/usr/bin/python3")
            if not subprocess.run([*runuser, one, "-c", ""], capture_output=True, check=False).returncode
        )
        words = " ".join((*runuser, "env", f"PYTHONPATH={folder}", python, "-B"))
        yield ("sh", "-c", f'shift; exec {words} "$@"', "sh")  # instead of the Python that the command names
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def here() -> int:
    """A port that nothing has."""
    return free_ports(1)[0]


@case("ok", "an ordinary user, and the server of somebody else")
def test_somebody_elses_server(check: Check, here: int, nobody: tuple[str, ...]) -> Diagnosis:
    with serving("127.0.0.1", here):
        found = check(f"http://127.0.0.1:{here}/", prefix=nobody)
    assert "another user's process (uid 0)" in found["cause"]
    return found


@case("other-family", "an ordinary user, and somebody else's server on ::1")
def test_other_family(check: Check, here: int, nobody: tuple[str, ...]) -> Diagnosis:
    with serving("::1", here):
        return check(f"http://127.0.0.1:{here}/", prefix=nobody)


@case("nothing-listens", "an ordinary user, and nobody's port")
def test_nothing(check: Check, here: int, nobody: tuple[str, ...]) -> Diagnosis:
    return check(f"http://127.0.0.1:{here}/", *QUICK, prefix=nobody)


@case(
    "unknown",
    "an ordinary user, and a firewall rule that drops the port",
    near="firewall-drop",
)
def test_unreadable_firewall(check: Check, here: int, nobody: tuple[str, ...]) -> Diagnosis:
    with namespace() as there, serving("127.0.0.1", here, prefix=there.prefix):
        rules = (
            f"table inet filter {{\nchain input {{\ntype filter hook input priority 0;\ntcp dport {here} drop\n}}\n}}\n"
        )
        there.run(tool("nft"), "-f", "-", given=rules)
        found = check(f"http://127.0.0.1:{here}/", *QUICK, prefix=(*there.prefix, *nobody))
        again = check(f"http://127.0.0.1:{here}/", *QUICK, prefix=there.prefix)
    assert found["confidence"] == "possible"
    assert commands(found, "sudo homeport check ")
    assert [one["outcome"] for one in found["observations"] if one["layer"] == "firewall"] == ["skipped"]
    assert again["verdict"] == "firewall-drop"  # what the remedy leads to
    return found


@case("no-answer", "an ordinary user, and a stopped server of somebody else", near="stopped")
def test_stopped_server_of_somebody_else(check: Check, here: int, nobody: tuple[str, ...]) -> Diagnosis:
    with serving("127.0.0.1", here) as pid:
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: "State:\tT" in Path(f"/proc/{pid}/status").read_text(), "a stopped server")
        found = check(f"http://127.0.0.1:{here}/", *QUICK, prefix=nobody)
        again = check(f"http://127.0.0.1:{here}/", *QUICK)
    assert "does not accept" in found["cause"]
    assert found["remedy"] == f"sudo homeport check http://127.0.0.1:{here}/"
    assert again["verdict"] == "stopped"
    return found


@case("stopped", "an ordinary user, and a stopped server of their own", cured=True)
def test_own_stopped_server(check: Check, here: int, nobody: tuple[str, ...]) -> tuple[Diagnosis, Diagnosis]:
    program = "import http.server, sys; http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]))"
    with subprocess.Popen(
        [tool("runuser"), "-u", "nobody", "--", "/usr/bin/python3", "-c", program, str(here)], cwd="/",
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as one:  # fmt: skip
        try:
            wait_until(lambda: check(str(here), prefix=nobody)["verdict"] == "ok", "http.server")
            (pid,) = Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text().split()
            os.kill(int(pid), signal.SIGSTOP)
            wait_until(lambda: "State:\tT" in Path(f"/proc/{pid}/status").read_text(), "a stopped server")
            found = check(f"http://127.0.0.1:{here}/", *QUICK, prefix=nobody)
            assert found["remedy"] == f"kill -CONT {pid}"
            subprocess.run([tool("runuser"), "-u", "nobody", "--", *found["remedy"].split()], check=True)
            return found, check(f"http://127.0.0.1:{here}/", prefix=nobody)
        finally:
            os.killpg(one.pid, signal.SIGKILL)


@case("other-namespace", "an ordinary user, and a server in a namespace that they may not look into")
def test_hidden_namespace(check: Check, here: int, nobody: tuple[str, ...]) -> Diagnosis:
    with namespace() as there, serving("0.0.0.0", here, prefix=there.prefix):
        found = check(f"http://127.0.0.1:{here}/", *QUICK, prefix=nobody)
    assert commands(found, "sudo homeport check ")
    return found


@case("nothing-listens", "an ordinary user, and a program that was told the port by a variable they may not read")
def test_hidden_variable(check: Check, here: int, nobody: tuple[str, ...]) -> Diagnosis:
    with serving("127.0.0.1", free_ports(1)[0], env={"PORT": str(here)}):
        return check(f"http://127.0.0.1:{here}/", *QUICK, prefix=nobody)


def test_a_namespace_needs_rights(nobody: tuple[str, ...], here: int) -> None:
    with namespace() as there:
        done = subprocess.run(
            [*nobody, "python", "-P", "-m", "homeport", "check", f"127.0.0.1:{here}", "--from", there.name],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert there.name in done.stderr
    assert "Traceback" not in done.stderr
