"""Runs commands and measures them: whole-process wall time and peak memory.

Run by a bare interpreter (`python -I -S -E`) and kept for a whole benchmark. Linux counts the memory of whoever forked
a process into the process's own peak (setmax_mm_hiwater_rss() in fs/exec.c), so whoever forks must be small: the
meter's own peak is the least that it can see, and it tells that number with every result.

One request per line on standard input: a JSON object with `argv`, `seconds` (the longest that it may take) and `keep`
(a file that gets the output, or null: counted and thrown away). One JSON object per line on standard output:
`seconds`, `user`, `system`, `peak_kib`, `floor_kib`, `lines`, `bytes`, `status` (exit code, minus the signal, or null:
it took too long and was killed), `error` (the end of its standard error).
"""

import fcntl
import json
import os
import select
import signal
import sys
import time

_PIPE_BYTES = 1 << 20  # the default of pipe-max-size, proc(5): the command never waits for its reader
_BLOCK_BYTES = 1 << 16
_TAIL = 500


def measure(argv: list[str], seconds: float, keep: str | None) -> dict[str, object]:
    """One run of a command, with its output read to the end."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    errors = os.memfd_create("stderr")
    nothing = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
    actions = (nothing, (os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, errors, 2))
    kept = None if keep is None else os.open(keep, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    started = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
    os.close(writer)
    lines, size, late = drain(reader, kept, started + seconds)
    if late:
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    elapsed = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    tail = os.pread(errors, _TAIL, max(0, os.fstat(errors).st_size - _TAIL))
    for descriptor in (reader, errors, kept):
        if descriptor is not None:
            os.close(descriptor)
    return {
        "seconds": elapsed,
        "user": usage.ru_utime,
        "system": usage.ru_stime,
        "peak_kib": usage.ru_maxrss,
        "floor_kib": own_peak(),
        "lines": lines,
        "bytes": size,
        "status": None if late else code,
        "error": tail.decode(errors="replace"),
    }


def own_peak() -> int:
    """The meter's own peak in KiB: VmHWM of proc(5); getrusage(2) would tell that of whoever started it."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def drain(reader: int, kept: int | None, deadline: float) -> tuple[int, int, bool]:
    """Reads until the end or the deadline: how many lines and bytes came, and whether it was too late."""
    lines = size = 0
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.perf_counter()))
        if not ready:
            return lines, size, True
        block = os.read(reader, _BLOCK_BYTES)
        if not block:
            return lines, size, False
        lines += block.count(b"\n")
        size += len(block)
        if kept is not None:
            os.write(kept, block)


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        try:
            result = measure(request["argv"], request["seconds"], request["keep"])
        except OSError as error:  # not installed, not allowed: told to the benchmark, which goes on with the others
            result = {"failure": str(error)}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
