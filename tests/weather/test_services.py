"""A thousand listeners that mean harm are asked what they speak: in time, in bounded memory, nothing left over."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.weather.conftest import COMMAND, HERE

LISTENERS = 1000
MOST_MEMORY = 150 << 10  # KiB
SLACK = 60.0
"""Seconds by which a busy machine may be late; a server that is never left would take for ever."""

HOSTILE = f"""
import asyncio, itertools, resource, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

async def silent(reader, writer): await reader.read()
async def drip(reader, writer):
    while not writer.is_closing():
        writer.write(b"H"); await asyncio.sleep(0.1)
async def flood(reader, writer, head=b"", data=b"x" * 65536):
    writer.write(head)
    while not writer.is_closing():
        writer.write(data); await writer.drain()
async def headers(reader, writer): await flood(reader, writer, b"HTTP/1.1 200 OK\\r\\n", b"X-More: a\\r\\n" * 999)
async def after(reader, writer): await reader.read(1); await flood(reader, writer, b"HTTP/1.1 200 OK\\r\\n\\r\\n")
async def tls(reader, writer): await reader.read(1); await flood(reader, writer, b"\\x16\\x03\\x03\\x40\\x00")
async def closes(reader, writer): pass
async def serve(behave, reader, writer):
    try: await behave(reader, writer)
    except (OSError, asyncio.IncompleteReadError): pass
    finally: writer.close()
async def main():
    kinds = itertools.cycle((silent, drip, flood, headers, after, tls, closes))
    for behave, _ in zip(kinds, range({LISTENERS})):
        await asyncio.start_server(lambda r, w, b=behave: serve(b, r, w), "{HERE}", 0)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def crowd() -> Iterator[int]:
    """The pid of a process with a listener of every kind of harm, again and again."""
    command = [sys.executable, "-c", HOSTILE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield server.pid
        server.kill()


def test_a_thousand_hostile_listeners(crowd: int, tmp_path: Path) -> None:
    started = time.monotonic()
    script = f"""
import pathlib, sys, threading
sys.argv = ["homeport", "ls", "--services", "--json", "--pid", "{crowd}"]
from homeport.__main__ import main
try:
    main()
except SystemExit:
    pass
# not ru_maxrss, which begins with that of the process that started this one
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
sys.stderr.write(f"{{status['VmHWM'].split()[0]}} {{threading.active_count()}}")
"""
    done = subprocess.run(
        [COMMAND[0], "-c", script], capture_output=True, text=True, check=False, timeout=300,
        env={"PATH": "/usr/bin:/bin:/usr/sbin", "XDG_STATE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert time.monotonic() - started < 10 + SLACK
    document = json.loads(done.stdout)
    assert len(document["listeners"]) == LISTENERS
    memory, threads = done.stderr.split()[-2:]
    assert int(memory) < MOST_MEMORY
    assert int(threads) == 1
    products = {one["service"]["product"] for one in document["listeners"] if one["service"]}
    assert products <= {None}
