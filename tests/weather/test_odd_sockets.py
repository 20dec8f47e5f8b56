"""A machine full of odd sockets: the list, ss and lsof must tell the same, or the difference is known and stated.

The sockets live in a network namespace of their own, so that what is compared is complete.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.weather.conftest import COMMAND, answer, run

IPPROTO_MPTCP = 262
ODD = f"""
import os, socket, sys
kept = []
def make(name, family, kind, address, *options, listen=False, protocol=0, connect=None):
    one = socket.socket(family, kind, protocol)
    for option in options:
        one.setsockopt(*option)
    one.bind(address)
    if connect:
        one.connect(connect)
    if listen:
        one.listen(5)
    kept.append(one)
    print(name, one.getsockname()[1])
    return one
FOUR, SIX, TCP, UDP = socket.AF_INET, socket.AF_INET6, socket.SOCK_STREAM, socket.SOCK_DGRAM
only = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
both = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
shared = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
device = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
make("tcp-bound", FOUR, TCP, ("127.0.0.1", 0))
udp = make("udp", FOUR, UDP, ("127.0.0.1", 0))
make("udp-connected", FOUR, UDP, ("127.0.0.1", 0), connect=udp.getsockname())
make("udp-every6", SIX, UDP, ("::", 0))
make("udp-v6only", SIX, UDP, ("::", 0), only)
make("udp-multicast", FOUR, UDP, ("224.0.0.251", 5353), shared)
make("udp-multicast6", SIX, UDP, ("ff02::fb", 5353, 0, 1), shared)
make("mapped", SIX, TCP, ("::ffff:127.0.0.1", 0), both, listen=True)
make("dual", SIX, TCP, ("::", 0), both, listen=True)
make("v6only", SIX, TCP, ("::", 0), only, listen=True)
make("device", FOUR, TCP, ("0.0.0.0", 0), device, listen=True)
make("device-udp", FOUR, UDP, ("0.0.0.0", 0), device)
first = make("shared", FOUR, TCP, ("127.0.0.1", 0), shared, listen=True)
make("shared", FOUR, TCP, first.getsockname(), shared, listen=True)
make("mptcp", FOUR, TCP, ("127.0.0.1", 0), listen=True, protocol={IPPROTO_MPTCP})
make("elsewhere", FOUR, TCP, ("127.9.8.7", 0), listen=True)
inherited = make("inherited", FOUR, TCP, ("127.0.0.1", 0), listen=True)
waiting = make("backlog", FOUR, TCP, ("127.0.0.1", 0), listen=True)
client = socket.create_connection(waiting.getsockname())
reader, writer = os.pipe()
if os.fork() == 0:
    for one in kept + [client]:
        if one is not inherited:
            one.close()
    os.close(writer)
    os.read(reader, 1)
    os._exit(0)
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[dict[str, int]]:
    """The ports by name, in the namespace `hp-odd-PID`; "pid" is their process."""
    name = f"hp-odd-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        command = ["ip", "netns", "exec", name, sys.executable, "-c", ODD]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            ports = {"pid": server.pid}
            while line := server.stdout.readline().strip():
                ports[line.split()[0]] = int(line.split()[1])
            yield ports
            server.kill()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def listed(machine: dict[str, int], source: str, *words: str) -> list[dict[str, Any]]:
    inside = ["nsenter", f"--net=/proc/{machine['pid']}/ns/net"] if source == "psutil" else []
    words = (*words, "--json", "--source", source, "--netns", "own" if inside else f"hp-odd-{os.getpid()}")
    found: list[dict[str, Any]] = answer(run([*inside, *COMMAND, "ls", *words]))["listeners"]
    return found


def key(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["protocol"],
        one["address"].partition("%")[0],
        one["port"],
        *sorted(owner["pid"] for owner in one["owners"]),
    )


def by_ss(machine: dict[str, int]) -> set[tuple[object, ...]]:
    done = run(["nsenter", f"--net=/proc/{machine['pid']}/ns/net", "ss", "-Htulnp"])
    found: set[tuple[object, ...]] = set()
    for line in done.stdout.splitlines():
        fields = line.split()
        address, _, port = fields[4].rpartition(":")
        address = address.partition("%")[0].strip("[]").replace("*", "::")
        found.add((fields[0], address, int(port), *sorted(int(pid) for pid in re.findall(r"pid=(\d+)", line))))
    return found


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_ss_and_the_list_tell_the_same(source: str, machine: dict[str, int]) -> None:
    assert {key(one) for one in listed(machine, source)} == by_ss(machine)


def test_lsof_and_the_list_tell_the_same(machine: dict[str, int]) -> None:
    inside = ["nsenter", f"--net=/proc/{machine['pid']}/ns/net"]
    told = [
        run([*inside, "lsof", "-nP", "-a", "-p", str(machine["pid"]), *which, "-FPn"]).stdout
        for which in (["-iTCP", "-sTCP:LISTEN"], ["-iUDP"])
    ]
    opened = set(re.findall(r"^P(TCP|UDP)\nn[^\n>]*:(\d+)$", "".join(told), re.MULTILINE))  # `a->b` is connected
    assert {(one["protocol"].upper(), str(one["port"])) for one in listed(machine, "netlink")} == opened


def test_psutil_knows_fewer_facts_but_the_same_ports(machine: dict[str, int]) -> None:
    assert {key(one)[:3] for one in listed(machine, "psutil")} == {key(one)[:3] for one in listed(machine, "netlink")}


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_what_is_odd_about_each(source: str, machine: dict[str, int]) -> None:
    rows: dict[int, list[dict[str, Any]]] = {}
    for one in listed(machine, source):
        rows.setdefault(one["port"], []).append(one)
    assert machine["tcp-bound"] not in rows
    assert machine["udp-connected"] not in rows
    assert [one["v6only"] for one in rows[machine["dual"]]] == [False]
    assert [one["v6only"] for one in rows[machine["v6only"]]] == [True]
    assert [(one["address"], one["scope"]) for one in rows[machine["mapped"]]] == [("::ffff:127.0.0.1", "machine")]
    assert [one["device"] for one in rows[machine["device"]] + rows[machine["device-udp"]]] == ["lo", "lo"]
    assert len({one["inode"] for one in rows[machine["shared"]]}) == 2
    assert [one["scope"] for one in rows[5353]] == ["multicast", "multicast"]
    assert [len(one["owners"]) for one in rows[machine["inherited"]]] == [2]
    assert rows[machine["mptcp"]][0]["owners"]
    assert rows[machine["backlog"]][0]["receive_queue"] == 1


@pytest.mark.parametrize("source", ["bpf", "netlink"])
def test_all_shows_the_rest(source: str, machine: dict[str, int]) -> None:
    rows = {(one["port"], one["state"]): one for one in listed(machine, source, "--all")}
    assert rows[machine["tcp-bound"], "bound-inactive"]["owners"]
    assert rows[machine["udp-connected"], "established"]["peer_port"] == machine["udp"]
    assert rows[machine["backlog"], "established"]["unattributed"]["reason"] == "unaccepted"


def test_text_says_what_ss_says(machine: dict[str, int]) -> None:
    text = run([*COMMAND, "ls", "--source", "netlink", "--netns", f"hp-odd-{os.getpid()}"]).stdout
    (line,) = [line for line in text.splitlines() if line.split()[0] == str(machine["device"])]
    assert "0.0.0.0%lo" in line
    assert "interface lo" in line
    assert "[::ffff:127.0.0.1]" in text
