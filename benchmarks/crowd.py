"""A crowd: many processes that hold many sockets and other descriptors, in this network namespace.

    with Crowd(Size(processes=1000, listeners=10, others=40)) as crowd:
        crowd.listeners     # the ledger: what really listens, and in which process

or from a shell, until Enter or ^C:   python -m benchmarks.crowd --processes 1000 --listeners 10 --others 40
All listen on 127.77.0.0/16, so that tools that see one namespace compare fairly. Nothing survives the benchmark,
however it ends; see bare/keeper.py.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import struct
import subprocess
import sys
import time
from typing import NamedTuple, Self

_KEEPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare", "keeper.py")
_RECORD = struct.Struct("=I4sHQ")
"""The same as `RECORD` in bare/keeper.py, which is a program and no module."""

SECONDS_TO_START = 180
"""A crowd that is not complete after that is given up."""
SECONDS_TO_LIVE = 3600
"""A crowd that is forgotten ends by itself after that."""
PER_PROCESS = 50
"""Listeners per process, where only a number of sockets is asked for."""


class CrowdError(Exception):
    """The crowd could not be made: limits of the machine, mostly."""


class Size(NamedTuple):
    """How many processes, listeners per process, and other descriptors per process; `uid`: whose they are."""

    processes: int
    listeners: int
    others: int
    uid: int | None = None

    @property
    def sockets(self) -> int:
        """All listeners together."""
        return self.processes * self.listeners

    @classmethod
    def of(cls, sockets: int) -> Size:
        """A crowd of that many sockets: 50 per process at most, and as many other descriptors."""
        per_process = min(sockets, PER_PROCESS)
        return cls(sockets // per_process, per_process, per_process)


class Held(NamedTuple):
    """One line of the ledger: a TCP listener and the process that holds it."""

    pid: int
    address: str
    port: int
    inode: int


class Crowd:
    """A running crowd, between `with` and its end. Raises CrowdError when it cannot be made as asked."""

    def __init__(self, size: Size, *, first_port: int = 20_000, python: str = sys.executable) -> None:
        self.size = size
        self.listeners: list[Held] = []
        numbers = (size.processes, size.listeners, size.others, first_port, SECONDS_TO_LIVE)
        self._command = [python, "-I", "-S", "-E", _KEEPER, *map(str, numbers)]
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """One port that only one process of the crowd listens on, from the middle of the crowd."""
        return self.listeners[len(self.listeners) // 2].port

    def __enter__(self) -> Self:
        uid = self.size.uid
        self._keeper = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
            cwd="/",
        )
        try:
            self._read_ledger(self._keeper, time.monotonic() + SECONDS_TO_START)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        keeper = self._keeper
        if keeper is None:
            return
        self._keeper = None
        with keeper:  # closes its standard input, which is the sign to go, and waits for it
            try:
                keeper.communicate(timeout=SECONDS_TO_START)
            except subprocess.TimeoutExpired:
                keeper.kill()  # the parent-death signal takes its children along

    def _read_ledger(self, keeper: subprocess.Popen[bytes], deadline: float) -> None:
        """Reads a record per listener: when all are there, all listen."""
        assert keeper.stdout is not None
        descriptor, data = keeper.stdout.fileno(), bytearray()
        wanted = self.size.sockets * _RECORD.size
        while len(data) < wanted:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            block = os.read(descriptor, 1 << 16) if ready else b""
            if not block:
                reason = "ended early" if ready else f"not complete after {SECONDS_TO_START} s"
                raise CrowdError(f"a crowd of {self.size}: {reason}{self._complaint(keeper, bool(ready))}")
            data += block
        self.listeners = [
            Held(pid, socket.inet_ntoa(address), port, inode)
            for pid, address, port, inode in _RECORD.iter_unpack(bytes(data))
        ]
        self.listeners.sort(key=lambda held: (held.address, held.port))

    def _complaint(self, keeper: subprocess.Popen[bytes], ended: bool) -> str:
        """The first lines of the keeper's standard error; it is read only when its writers are gone."""
        if not ended or keeper.stderr is None:
            return ""
        lines = keeper.stderr.read(500).decode(errors="replace").splitlines()
        return "".join(f"; {line}" for line in lines[:2])


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.crowd", description="hold many sockets until Enter")
    parser.add_argument("--processes", type=int, default=1000)
    parser.add_argument("--listeners", type=int, default=10, help="TCP listeners per process")
    parser.add_argument("--others", type=int, default=40, help="other descriptors per process")
    parser.add_argument("--sockets", type=int, help="instead: that many listeners, several per process")
    parser.add_argument("--uid", type=int, help="whose processes (as root)")
    parser.add_argument("--first-port", type=int, default=20_000)
    asked = parser.parse_args()
    size = Size(asked.processes, asked.listeners, asked.others, asked.uid)
    if asked.sockets is not None:
        size = Size.of(asked.sockets)._replace(uid=asked.uid)
    started = time.monotonic()
    with Crowd(size, first_port=asked.first_port) as crowd:
        seconds = time.monotonic() - started
        print(f"{size.sockets} listeners in {size.processes} processes after {seconds:.1f} s; one port: {crowd.port}")
        print("Enter or ^C ends them", flush=True)
        try:
            sys.stdin.readline()
        except KeyboardInterrupt:
            pass  # the other way to say so


if __name__ == "__main__":
    main()
