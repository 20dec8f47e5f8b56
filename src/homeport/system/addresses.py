"""Which addresses a network namespace has."""

from __future__ import annotations

from homeport.model.addresses import IPAddress
from homeport.model.snapshot import Netns
from homeport.system import procfs
from homeport.system.namespaces import inside
from homeport.wire.addresses import local_ipv4, local_ipv6


def addresses_of(netns: Netns) -> frozenset[IPAddress]:
    """Every IPv4 and IPv6 address of a namespace, loopback too; empty where it may not be looked into or is gone."""
    if netns.own:
        return _read("thread-self")
    if netns.pid is not None:
        return _read(str(netns.pid))
    found = inside([netns], lambda _: _read("thread-self")).get(netns)
    return found if isinstance(found, frozenset) else frozenset()


def _read(task: str) -> frozenset[IPAddress]:
    trie = procfs.read_text(f"/proc/{task}/net/fib_trie") or ""
    six = procfs.read_text(f"/proc/{task}/net/if_inet6") or ""
    return local_ipv4(trie) | local_ipv6(six)
