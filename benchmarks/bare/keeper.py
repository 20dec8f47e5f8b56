"""The parent of a crowd: forks processes that hold sockets and other descriptors, and ends with the benchmark.

Run by a bare interpreter (`python -I -S -E`), so that a child costs a megabyte and half a millisecond:

    keeper.py PROCESSES LISTENERS OTHERS FIRST_PORT SECONDS

Standard input is a pipe that nobody writes to: its end (the benchmark stopped, or died) ends everybody. Standard
output takes one record per listener (`RECORD`: pid, address, port, inode), written when it listens. Should the keeper
itself be killed, the parent-death signal (prctl(2), PR_SET_PDEATHSIG) takes the children along. After SECONDS it ends
by itself.
"""

import ctypes
import gc
import os
import resource
import signal
import socket
import struct
import sys

RECORD = struct.Struct("=I4sHQ")
PORTS_PER_ADDRESS = 40_000
_RECORDS_PER_WRITE = 4096 // RECORD.size  # PIPE_BUF: writes of that size do not mix (pipe(7))
_PR_SET_PDEATHSIG = 1


def endpoint(number: int, first_port: int) -> tuple[str, int]:
    """The address and port that listener `number` gets: ports of 127.77.0.1, then of 127.77.0.2, and so on."""
    block, rest = divmod(number, PORTS_PER_ADDRESS)
    return f"127.77.{block >> 8}.{(block & 0xFF) + 1}", first_port + rest


def listen(address: str, port: int) -> socket.socket:
    """A TCP listener there; on a port of the kernel's choice where somebody else has that one."""
    listener = socket.socket()
    try:
        listener.bind((address, port))
    except OSError:  # EADDRINUSE: a listener on every address has the port; the record tells which one it is instead
        listener.bind((address, 0))
    listener.listen(16)
    return listener


def others(count: int) -> list[int]:
    """`count` descriptors that are no sockets: devices, files, eventfds and both ends of pipes, in turn."""
    kept: list[int] = []
    while len(kept) < count:
        kept.append(os.open("/dev/null", os.O_RDONLY))
        kept.append(os.open(__file__, os.O_RDONLY))
        kept.append(os.eventfd(0))
        kept.extend(os.pipe())
    for extra in kept[count:]:
        os.close(extra)
    return kept[:count]


def hold(first: int, listeners: int, other: int, first_port: int) -> None:
    """The life of a child: opens everything, tells, and waits for the end of standard input."""
    sockets = [listen(*endpoint(first + number, first_port)) for number in range(listeners)]
    kept = others(other)
    pid = os.getpid()
    records = [
        RECORD.pack(pid, socket.inet_aton(name[0]), name[1], os.fstat(s.fileno()).st_ino)
        for s in sockets
        for name in (s.getsockname(),)
    ]
    for start in range(0, len(records), _RECORDS_PER_WRITE):
        os.write(1, b"".join(records[start : start + _RECORDS_PER_WRITE]))
    os.read(0, 1)
    del kept, sockets


def raise_descriptor_limit(needed: int) -> None:
    """Makes room for `needed` descriptors per process (getrlimit(2)); above the hard limit only root may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))


def main() -> int:
    processes, listeners, other, first_port, seconds = map(int, sys.argv[1:6])
    raise_descriptor_limit(listeners + other + 16)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    keeper = os.getpid()
    signal.alarm(seconds)
    gc.disable()
    gc.freeze()
    for number in range(processes):
        if os.fork() == 0:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:
                os._exit(1)
            try:
                hold(number * listeners, listeners, other, first_port)
            except BrokenPipeError:
                os._exit(1)  # nobody wants the ledger any more
            except OSError as error:
                sys.stderr.write(f"a process of the crowd: {error}\n")
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
    os.close(1)
    for _ in range(processes):
        if os.wait()[1]:
            return 1  # one failed: the others go with the keeper
    return 0


if __name__ == "__main__":
    sys.exit(main())
