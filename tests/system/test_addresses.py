from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from homeport.model.snapshot import Netns
from homeport.system.addresses import addresses_of


@pytest.fixture
def namespace() -> Iterator[str]:
    """A named network namespace with an address of its own, and no process inside."""
    name = f"hp-show-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True, timeout=30)
    try:
        for words in (["link", "set", "lo", "up"], ["addr", "add", "192.0.2.77/32", "dev", "lo"]):
            subprocess.run(["ip", "-n", name, *words], check=True, timeout=30)
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True, timeout=30)


def test_own_addresses() -> None:
    assert ip_address("127.0.0.1") in addresses_of(Netns(1, None, os.getpid(), True))


def test_those_of_a_process() -> None:
    assert addresses_of(Netns(1, None, os.getpid(), False)) == addresses_of(Netns(1, None, None, True))


def test_those_of_a_namespace_without_processes(namespace: str) -> None:
    inode = os.stat(f"/run/netns/{namespace}").st_ino
    found = addresses_of(Netns(inode, namespace, None, False))
    assert ip_address("192.0.2.77") in found
    assert ip_address("192.0.2.77") not in addresses_of(Netns(1, None, None, True))


def test_a_namespace_that_is_gone_has_none() -> None:
    assert addresses_of(Netns(1, None, None, False)) == frozenset()
    assert addresses_of(Netns(1, None, 1 << 30, False)) == frozenset()
