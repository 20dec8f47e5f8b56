"""Which login PostgreSQL demands of a client over TCP, by its pg_hba.conf: the first line that fits decides.

Source: PostgreSQL documentation, "The pg_hba.conf File".
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from homeport.model.addresses import IPAddress

_LONGEST = 1000
"""Characters of a line that are looked at."""
_WORD = re.compile(r'"[^"]*"|[^\s,"]+|,')
_TYPES = {"host": (True, False), "hostssl": (True,), "hostnossl": (False,)}
_HERE = frozenset(("all", "samehost", "samenet"))


class Line(NamedTuple):
    """A line that decides: its number, its text, and its method, such as `trust` or `scram-sha-256`."""

    number: int
    text: str
    method: str


def deciding(text: str, client: IPAddress, *, tls: bool, database: str, user: str) -> Line | None:
    """The line for a client at an address of this machine; None: there is none, so that it is refused.

    Names of hosts but `localhost`, groups of roles, patterns and included files are not resolved: a line with one of
    these does not fit.
    """
    for number, line in enumerate(text.splitlines(), 1):
        words = _fields(line[:_LONGEST].split("#", 1)[0])
        if len(words) < 5 or tls not in _TYPES.get(words[0][0], ()):
            continue
        if not _holds(words[1], database) or not _holds(words[2], user):
            continue
        method = _method(words[3:], client)
        if method is not None:
            return Line(number, " ".join(line.split()), method)
    return None


def _fields(line: str) -> list[list[str]]:
    """The fields of a line, each a list of what commas part."""
    fields: list[list[str]] = []
    joined = False
    for word in _WORD.findall(line):
        if word == ",":
            joined = True
        elif joined and fields:
            fields[-1].append(word.strip('"'))
            joined = False
        else:
            fields.append([word.strip('"')])
    return fields


def _holds(names: list[str], name: str) -> bool:
    return "all" in names or name in names


def _method(words: list[list[str]], client: IPAddress) -> str | None:
    """The method of a line whose address, with or without a mask of its own, holds the client."""
    address = words[0][0]
    if address in _HERE or (address == "localhost" and client.is_loopback):
        return words[1][0]
    try:
        if "/" in address:
            return words[1][0] if client in ip_network(address, strict=False) else None
        ip_address(address)
        network = ip_network(f"{address}/{_prefix(words[1][0])}", strict=False)
        return words[2][0] if client in network and len(words) > 2 else None
    except ValueError:  # a name of a host
        return None


def _prefix(mask: str) -> int:
    """The length of a prefix that is written as a mask."""
    bits = f"{int(ip_address(mask)):b}"
    return bits.count("1")
