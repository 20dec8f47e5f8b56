"""The routed networks in /proc/net/route and /proc/net/ipv6_route (proc_pid_net(5))."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


def routes_ipv4(text: str) -> Iterator[IPv4Network]:
    """The destinations of the main table; columns 2 and 8, hexadecimal in host byte order. Other lines are left out."""
    for line in text.split("\n")[1:]:
        words = line.split()
        try:
            address, mask = (IPv4Address(struct.pack("=I", int(words[column], 16))) for column in (1, 7))
            yield IPv4Network(f"{address}/{mask}", strict=False)
        except (IndexError, ValueError, struct.error):  # no line of the table
            continue


def routes_ipv6(text: str) -> Iterator[IPv6Network]:
    """The destinations of every table: an address and its length in bits, hexadecimal. Other lines are left out."""
    for line in text.split("\n"):
        words = line.split()
        try:
            yield IPv6Network((int(IPv6Address(bytes.fromhex(words[0]))), int(words[1], 16)), strict=False)
        except (IndexError, ValueError):  # no line of the table
            continue
