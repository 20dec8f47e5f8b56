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


class Vain(NamedTuple):
    """A line of /etc/hosts that was meant to have a name, and has it in vain, with the reason."""

    number: int
    text: str
    why: str


def in_vain(text: str, name: str) -> tuple[Vain, ...]:
    """The lines that were meant to give a name an address, and do not (hosts(5))."""
    wanted = name.lower().removesuffix(".")
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        before, _, comment = line.lower().partition("#")
        why = _vain(before.split(), comment.split(), wanted)
        if why is not None:
            found.append(Vain(number, line.strip(), why))
    return tuple(found)


def _vain(words: list[str], comment: list[str], wanted: str) -> str | None:
    if not words:
        return "it is a comment" if wanted in comment[1:] and _is_address(comment[0]) else None
    first, *names = words
    if first == wanted:
        return "the address must come first"
    if wanted in names:
        return None if _is_address(first) else "its first word is no address"
    if any("://" in one and one.partition("://")[2].strip("/") == wanted for one in names):
        return "a name is wanted there, no URL"
    above = wanted.partition(".")[2]
    return "hosts files know no wildcards" if above and f"*.{above}" in names else None


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


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
