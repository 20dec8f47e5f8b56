"""Scratch namespaces and what is tried from them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address

import pytest

from homeport.errors import HomeportError, RightsError
from homeport.model.snapshot import Netns
from homeport.system import proving, routing
from homeport.system.namespaces import inside, of_process


@pytest.fixture
def box() -> Iterator[Netns]:
    """A namespace with `lo` up, and a listener at port 8080."""
    script = """
import socket, subprocess, time
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
one = socket.create_server(("0.0.0.0", 8080))
print("ready", flush=True)
time.sleep(1000)
"""
    command = ["unshare", "--net", sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            yield Netns(of_process(running.pid), None, running.pid, False)
        finally:
            running.kill()


def names(netns: Netns) -> list[str]:
    found = inside([netns], lambda _: [one.name for one in routing.interfaces()])[netns]
    assert not isinstance(found, OSError)
    return found


def test_it_is_joined_to_the_other_and_goes_away(box: Netns) -> None:
    before = names(box)
    with proving.Scratch(box, proving.networks_of(box)) as scratch:
        assert scratch.interface in names(box)
        (four, six) = scratch.addresses
        assert four.ip in IPv4Network("198.18.0.0/15")
        assert six.ip.is_private
        found = scratch.run(lambda: proving.connect_all([(four.ip, 8080), (four.ip, 8081), (six.ip, 8080)]))
        assert found == [
            proving.Tried(True, "connected"),
            proving.Tried(False, "refused"),
            proving.Tried(False, "refused"),
        ]
    assert names(box) == before


def test_the_caller_stays_where_it_is(box: Netns) -> None:
    mine = os.stat("/proc/thread-self/ns/net").st_ino
    with proving.Scratch(box, ()) as scratch:
        assert os.stat("/proc/thread-self/ns/net").st_ino == mine
        assert scratch.run(lambda: os.stat("/proc/thread-self/ns/net").st_ino) not in (mine, box.inode)


def test_an_error_inside_is_the_callers_error(box: Netns) -> None:
    with proving.Scratch(box, ()) as scratch, pytest.raises(ZeroDivisionError):
        scratch.run(lambda: 1 // 0)


def test_a_target_that_is_gone_is_said(box: Netns) -> None:
    gone = Netns(1, None, None, False)
    with pytest.raises(HomeportError, match="cannot be made"), proving.Scratch(gone, ()):
        pass
    with pytest.raises(HomeportError, match="cannot be looked into"):
        proving.networks_of(gone)


def test_without_rights_it_is_refused() -> None:
    script = """
import os
from homeport.errors import RightsError
from homeport.model.snapshot import Netns
from homeport.system import proving
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with proving.Scratch(Netns(None, None, os.getpid(), True), ()):
        print("made")
except RightsError as error:
    print(error.exit_code, error.remedy)
"""
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == f"{RightsError.exit_code} run it as root\n", done.stderr


def test_connections_end_as_they_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert proving.connect_all([(ip_address("127.0.0.1"), port)]) == [proving.Tried(True, "connected")]
    assert proving.connect_all([(ip_address("127.0.0.1"), port)]) == [proving.Tried(False, "refused")]
    assert proving.connect_all([]) == []


def test_one_proof_at_a_time(box: Netns) -> None:
    with proving.alone(box):
        with pytest.raises(HomeportError), proving.alone(box, 0):
            pass
        with proving.alone(Netns(None, None, None, True), 0):  # of another namespace
            pass
    with proving.alone(box, 0):
        pass
