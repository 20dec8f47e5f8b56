"""The files that say how names become addresses: hosts(5), nsswitch.conf(5) and resolv.conf(5)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from homeport.model.addresses import IPAddress


class HostsLine(NamedTuple):
    """A line of /etc/hosts, counted from 1; names in lower case."""

    number: int
    address: IPAddress
    names: tuple[str, ...]


def hosts(text: str) -> tuple[HostsLine, ...]:
    """The lines that have an address and a name; any others are passed over, as the resolver does."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        try:
            address = ip_address(words[0])
        except ValueError:  # no address: the resolver does not take the line either
            continue
        found.append(HostsLine(number, address, tuple(word.lower() for word in words[1:])))
    return tuple(found)


def order(nsswitch: str) -> tuple[int, str] | None:
    """The number of the line `hosts: files dns` of nsswitch.conf, counted from 1, and what it says; None: none is."""
    for number, line in enumerate(nsswitch.splitlines(), 1):
        name, colon, value = line.partition("#")[0].partition(":")
        if colon and name.strip() == "hosts":
            return number, " ".join(value.split())
    return None


def search(resolv_conf: str) -> tuple[str, ...]:
    """The domains that are tried after a name with few dots (resolv.conf(5)): the last line `search` or `domain`."""
    found: tuple[str, ...] = ()
    for line in resolv_conf.splitlines():
        words = line.split()
        if words and words[0] in ("search", "domain"):
            found = tuple(word.lower() for word in words[1:])
    return tuple(one for one in found if one != ".")
