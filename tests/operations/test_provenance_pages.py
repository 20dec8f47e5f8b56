"""What the page of a real server says about where its port comes from."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from homeport.model.evidence import Confidence
from homeport.model.provenance import Origin, Provenance
from homeport.operations.show import show as page_of

show = functools.partial(page_of, passive=True)  # what is sent is tested where checks are

LISTEN = "print(s.getsockname()[1], flush=True); sys.stdin.read()"
Start = Callable[..., int]


@pytest.fixture
def start() -> Iterator[Start]:
    """`start(*command, cwd=…)`: the port that the command says, once it listens on it."""
    with ExitStack() as stack:

        def run(*command: str | Path, cwd: Path) -> int:
            child = subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(child)  # closes its standard input, at which the server ends, and waits for it
            assert child.stdout is not None
            return int(child.stdout.readline())

        yield run


@pytest.fixture
def unused() -> int:
    """A port that is free now, outside of the range from which the kernel gives others theirs."""
    high = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[1])
    for port in range(high + 1 + (os.getpid() * 11) % 2000, 65536):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:  # taken: the next one
                continue
            return port
    raise AssertionError("no free port")


def why(port: int) -> Provenance:
    (resident,) = show(f"127.0.0.1:{port}").residents
    assert resident.provenance is not None
    return resident.provenance


def test_a_program_text_on_the_command_line(start: Start, unused: int, tmp_path: Path) -> None:
    code = f"import socket, sys; s = socket.create_server(('127.0.0.1', {unused})); {LISTEN}"
    found = why(start(sys.executable, "-c", code, cwd=tmp_path))
    assert (found.origin, found.confidence) == (Origin.ARGUMENT, Confidence.CERTAIN)


def test_a_server_that_asks_for_port_0(start: Start, tmp_path: Path) -> None:
    (tmp_path / "zero.py").write_text(
        f"import socket, sys\ns = socket.socket()\ns.bind(('', 0))\ns.listen()\n{LISTEN}\n"
    )
    found = why(start(sys.executable, "zero.py", cwd=tmp_path))
    assert found.origin is Origin.KERNEL
    assert f"{tmp_path}/zero.py:3" in found.statement


def test_a_script_by_its_shortest_path(start: Start, unused: int, tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(
        f"import socket, sys\ns = socket.create_server(('127.0.0.1', int(sys.argv[2])))\n{LISTEN}\n"
    )
    script = tmp_path / "start.sh"
    script.write_text(f"#!/bin/sh\nPORT={unused}\n{sys.executable} serve.py --port $PORT\n:\n")
    os.chmod(script, 0o755)
    found = why(start("./start.sh", cwd=tmp_path))
    assert (found.file, found.line) == (str(script), 2)


def test_a_compose_file_that_is_not_in_use(start: Start, unused: int, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "compose.yaml").write_text(f'services:\n  web:\n    ports:\n      - "{unused}:80"\n')
    (tmp_path / "hidden.py").write_text(
        f"import socket, sys\ns = socket.create_server(('127.0.0.1', {unused - 1} + 1))\n{LISTEN}\n"
    )
    found = why(start(sys.executable, "hidden.py", cwd=tmp_path))
    assert found.confidence is not Confidence.CERTAIN
    assert found.file is None or found.confidence is Confidence.POSSIBLE


def test_blanks_of_a_line_are_single(start: Start, unused: int, tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(
        f"import socket, sys\nport\t=\t{unused}\t\t# ours\ns = socket.create_server(('127.0.0.1', port))\n{LISTEN}\n"
    )
    found = why(start(sys.executable, "serve.py", cwd=tmp_path))
    assert found.statement == f"{tmp_path}/serve.py:2: port = {unused} # ours"
