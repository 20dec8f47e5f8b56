"""The addresses that a network namespace has, from /proc/net/fib_trie and /proc/net/if_inet6 (proc_net(5))."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address


def local_ipv4(fib_trie: str) -> frozenset[IPv4Address]:
    """The leaves of fib_trie that are routes of type LOCAL to a single host; what fits no pattern is left out."""
    found = set()
    leaf = ""
    for line in fib_trie.splitlines():
        text = line.strip()
        if text.startswith("|-- "):
            leaf = text[4:]
        elif text.startswith("/32 ") and text.endswith(" LOCAL"):
            try:
                found.add(IPv4Address(leaf))
            except ValueError:
                continue  # no address: a format of another kernel
    return frozenset(found)


def local_ipv6(if_inet6: str) -> frozenset[IPv6Address]:
    """The first column of if_inet6, 32 hexadecimal digits each; what fits no pattern is left out."""
    found = set()
    for line in if_inet6.splitlines():
        digits = line.partition(" ")[0]
        if len(digits) == 32:
            try:
                found.add(IPv6Address(int(digits, 16)))
            except ValueError:
                continue  # no number, or a negative one
    return frozenset(found)
