"""The crowd is what it says it is, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.bare import keeper
from benchmarks.crowd import _RECORD, Crowd, CrowdError, Size

ROOT = Path(__file__).resolve().parents[2]
SIZE = Size(processes=6, listeners=4, others=11)
FIRST_PORT = 21_000
"""Not the benchmark's own, so that both can run at once; a port in use is replaced by the kernel's choice anyway."""


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def targets(pid: int) -> list[str]:
    folder = f"/proc/{pid}/fd"
    return [os.readlink(f"{folder}/{name}") for name in os.listdir(folder) if int(name) > 2]


def test_the_ledger_is_what_the_processes_hold() -> None:
    with Crowd(SIZE, first_port=FIRST_PORT) as crowd:
        assert len(crowd.listeners) == SIZE.sockets
        assert set(Counter(held.pid for held in crowd.listeners).values()) == {SIZE.listeners}
        listening = {
            int(line.split()[9]) for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"
        }
        assert {held.inode for held in crowd.listeners} <= listening
        for pid in {held.pid for held in crowd.listeners}:
            inodes = {f"socket:[{held.inode}]" for held in crowd.listeners if held.pid == pid}
            found = targets(pid)
            assert inodes == {target for target in found if target.startswith("socket:")}
            assert len(found) == SIZE.listeners + SIZE.others
        for held in crowd.listeners:
            socket.create_connection((held.address, held.port), timeout=5).close()
    wait_until(lambda: not any(alive(held.pid) for held in crowd.listeners), "the crowd stayed")


def test_other_descriptors_are_a_mixture() -> None:
    with Crowd(Size(1, 1, 10), first_port=FIRST_PORT) as crowd:
        kinds = Counter(re.sub(r"\d+", "N", target) for target in targets(crowd.listeners[0].pid))
    assert kinds["pipe:[N]"] == 4
    assert kinds["anon_inode:[eventfd]"] == 2
    assert kinds["/dev/null"] == 2


def test_the_one_port_is_of_one_process_only() -> None:
    with Crowd(SIZE, first_port=FIRST_PORT) as crowd:
        assert [held.port for held in crowd.listeners].count(crowd.port) == 1


def test_ports_that_are_taken_are_replaced() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Crowd(Size(1, 2, 0), first_port=port) as crowd:
            assert port not in [held.port for held in crowd.listeners]
            assert len(crowd.listeners) == 2


def test_more_listeners_than_ports_use_more_addresses() -> None:
    places = [keeper.endpoint(number, 20_000) for number in (0, 39_999, 40_000, 99_999, 40_000 * 256)]
    assert places == [
        ("127.77.0.1", 20_000),
        ("127.77.0.1", 59_999),
        ("127.77.0.2", 20_000),
        ("127.77.0.3", 39_999),
        ("127.77.1.1", 20_000),
    ]


@pytest.mark.parametrize("sockets", [10, 100, 1_000, 10_000, 100_000])
def test_a_number_of_sockets_is_made_of_processes(sockets: int) -> None:
    assert Size.of(sockets).sockets == sockets


def test_both_sides_write_the_same_record() -> None:
    assert (keeper.RECORD.format, keeper.RECORD.size) == (_RECORD.format, _RECORD.size)


def test_nothing_survives_a_killed_benchmark() -> None:
    code = (
        "import sys, time\n"
        "from benchmarks.crowd import Crowd, Size\n"
        f"with Crowd(Size(4, 2, 2), first_port={FIRST_PORT}) as crowd:\n"
        "    print(*{held.pid for held in crowd.listeners}, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    maker = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with maker:
        assert maker.stdout is not None
        pids = [int(word) for word in maker.stdout.readline().split()]
        assert len(pids) == 4
        maker.kill()
    wait_until(lambda: not any(alive(pid) for pid in pids), "the crowd survived")


def test_nothing_survives_a_killed_keeper() -> None:
    with Crowd(Size(4, 2, 2), first_port=FIRST_PORT) as crowd:
        assert crowd._keeper is not None
        os.kill(crowd._keeper.pid, signal.SIGKILL)
        wait_until(lambda: not any(alive(held.pid) for held in crowd.listeners), "the crowd survived")


def test_a_crowd_that_cannot_be_made_says_why() -> None:
    with pytest.raises(CrowdError, match="ended early"), Crowd(Size(1, 1, 0), first_port=80_000):
        pass


def test_from_a_shell_it_tells_the_port_and_ends_at_enter() -> None:
    words = ["--processes", "2", "--listeners", "3", "--others", "4", "--first-port", str(FIRST_PORT)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.crowd", *words],
        input="\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=60,
    )
    assert re.search(r"^6 listeners in 2 processes after .* s; one port: \d+$", done.stdout, re.MULTILINE)
