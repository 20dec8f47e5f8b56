"""Two hundred services that answer, and how long `homeport ls --services` takes for them, asked anew and remembered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

COUNT = 200
_SERVER = """
import asyncio, sys
PAGE = b"HTTP/1.1 200 OK\\r\\nServer: nginx/1.22.1\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nhi"
async def page(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(PAGE)
async def greet(reader, writer):
    writer.write(b"SSH-2.0-OpenSSH_9.2p1\\r\\n")
    await reader.read()
async def serve(behave, reader, writer):
    try:
        await behave(reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()
async def main():
    for number in range(int(sys.argv[1])):
        behave = page if number % 4 else greet
        await asyncio.start_server(lambda r, w, b=behave: serve(b, r, w), "127.0.0.1", 0)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


class Crowd(NamedTuple):
    """Seconds of the whole command, medians; `recognised` of COUNT."""

    anew: float
    remembered: float
    recognised: int


def measure(python: str, rounds: int = 5) -> Crowd:
    """Start them in one process, ask, end it."""
    command = [sys.executable, "-c", _SERVER, str(COUNT)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            if server.stdout is None or server.stdout.readline() != "ready\n":
                raise RuntimeError("the crowd did not start")
            _ask(python, server.pid, os.path.join(folder, "compiling"), folder)
            states = [os.path.join(folder, str(number)) for number in range(rounds)]
            anew = [_ask(python, server.pid, state, folder) for state in states]
            again = [_ask(python, server.pid, state, folder) for state in states]
        finally:
            server.kill()
    middle = rounds // 2
    first, second = sorted(one for one, _ in anew), sorted(one for one, _ in again)
    return Crowd(first[middle], second[middle], min(number for _, number in anew))


def _ask(python: str, pid: int, state: str, folder: str) -> tuple[float, int]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": os.path.join(folder, "compiled"), "XDG_STATE_HOME": state}
    command = [python, "-P", "-m", "homeport", "ls", "--services", "--json", "--pid", str(pid)]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment)
    seconds = time.monotonic() - started
    services = [one["service"] for one in json.loads(done.stdout)["listeners"]]
    return seconds, sum(one is not None and one["product"] in ("nginx", "OpenSSH") for one in services)
