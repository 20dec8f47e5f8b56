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
_INCLUDES = frozenset(("include", "include_if_exists", "include_dir"))
_GROUPS = frozenset(("samerole", "samegroup"))


class Line(NamedTuple):
    """A line that decides: its number, its text, and its method, such as `trust`; None: it may decide or not."""

    number: int
    text: str
    method: str | None


def deciding(text: str, client: IPAddress, *, tls: bool, database: str, user: str) -> Line | None:
    """The line for a client at an address of this machine; None: there is none, so that it is refused.

    Names of hosts but `localhost`, groups of roles, patterns and included files are not resolved: where a line with one
    of these comes first, and another method would follow from it, that one is the answer, without a method.
    """
    perhaps: list[Line] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = _fields(line[:_LONGEST].split("#", 1)[0])
        fits, method = _judged(words, client, tls=tls, database=database, user=user)
        one = Line(number, " ".join(line.split()), method)
        if fits is None:
            perhaps.append(one)
        elif fits:
            if all(each.method == method for each in perhaps):
                return one
            break
    return perhaps[0]._replace(method=None) if perhaps else None


def _judged(
    words: list[list[str]], client: IPAddress, *, tls: bool, database: str, user: str
) -> tuple[bool | None, str | None]:
    """Whether a line is for a client, None where that cannot be told; and its method, as far as it has one."""
    if not words:
        return False, None
    if words[0][0] in _INCLUDES:
        return None, None
    if tls not in _TYPES.get(words[0][0], ()):
        return False, None
    if words[-1][-1].endswith("\\"):  # it goes on in the next line
        return None, None
    if len(words) < 5:
        return False, None
    near, method = _near(words[3:], client)
    parts = (_holds(words[1], database, same=user), _holds(words[2], user), near)
    return False if False in parts else None if None in parts else True, method


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


def _holds(names: list[str], name: str, same: str | None = None) -> bool | None:
    """Whether a list of databases (then `same` is the user's name) or of users holds a name; None: it may."""
    if "all" in names or name in names or (name == same and "sameuser" in names):
        return True
    return None if any(one in _GROUPS or one.startswith(("+", "@", "/")) for one in names) else False


def _near(words: list[list[str]], client: IPAddress) -> tuple[bool | None, str | None]:
    """Whether an address, with or without a mask of its own, holds the client; and the method behind it."""
    address = words[0][0]
    if address in _HERE or (address == "localhost" and client.is_loopback):
        return True, words[1][0]
    try:
        if "/" in address:
            return client in ip_network(address, strict=False), words[1][0]
        ip_address(address)
        network = ip_network(f"{address}/{_prefix(words[1][0])}", strict=False)
        return (client in network, words[2][0]) if len(words) > 2 else (False, None)
    except ValueError:  # a name of a host
        return False if address == "localhost" else None, words[1][0]


def _prefix(mask: str) -> int:
    """The length of a prefix that is written as a mask."""
    bits = f"{int(ip_address(mask)):b}"
    return bits.count("1")
