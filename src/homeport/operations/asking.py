"""What a listing is asked for, from words to a Query and a Filter."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from homeport.errors import UsageError
from homeport.lean import NamedTuple
from homeport.model.addresses import IPAddress, Protocol, Scope
from homeport.model.snapshot import Query
from homeport.operations.ls import ALL_PROTOCOLS, Filter

_EXAMPLES = "for example: 3000, 3000-3999, 127.0.0.1, [::1]:80; names go with --process, --project, --user …"


class Wish(NamedTuple):
    """The words of a listing; `what` are ports, ranges, addresses, or both (`[::1]:80`), the rest named as the options.

    Lone ports and lone addresses narrow one another; each word that has both stands for itself.
    """

    what: tuple[str, ...] = ()
    tcp: bool = False
    udp: bool = False
    all: bool = False
    pid: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    process: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    container: tuple[str, ...] = ()
    netns: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()


def understand(wish: Wish) -> tuple[Query, Filter | None]:
    """The question for a source and what to keep of its answer. Raises UsageError for words that mean nothing."""
    protocols = ALL_PROTOCOLS
    if wish.tcp != wish.udp:
        protocols = frozenset((Protocol.TCP if wish.tcp else Protocol.UDP,))
    places = [_place(word) for word in wish.what]
    ports = frozenset(port for some, addresses in places if not addresses for port in some)
    addresses = frozenset(one for some, addresses in places if not some for one in addresses)
    endpoints = frozenset((one, port) for some, addresses in places for one in addresses for port in some)
    wanted = ports | {port for _, port in endpoints} if ports or not addresses else frozenset()
    netns = tuple(wish.netns) or None
    query = Query(protocols, wanted or None, wish.all, namespaces=netns != ("own",))
    keep = Filter(
        ports=ports or None,
        addresses=addresses or None,
        endpoints=endpoints or None,
        scopes=_scopes(wish.scope),
        netns=netns,
        pids=_pids(wish.pid),
        users=wish.user or None,
        names=wish.process or None,
        projects=wish.project or None,
        containers=wish.container or None,
    )
    return query, None if keep == Filter() else keep


def _place(word: str) -> tuple[frozenset[int], frozenset[IPAddress]]:
    """The ports and the addresses that a word names; either may be empty: any."""
    address, port = _split(word)
    ports: Iterable[int] = ()
    if port is not None:
        low, dash, high = port.partition("-")
        first, last = _number(low, word), _number(high if dash else low, word)
        if first > last:
            raise UsageError(f"{word!r} is an empty range", remedy="the lower port comes first: 3000-3999")
        ports = range(first, last + 1)
    return frozenset(ports), frozenset(() if address is None else _addresses(address, word))


def _split(word: str) -> tuple[str | None, str | None]:
    """Address and port texts of `3000`, `:3000-3999`, `127.0.0.1`, `127.0.0.1:80`, `::1`, `[::1]:80`."""
    if word.startswith("["):
        address, bracket, port = word[1:].partition("]")
        return (address if bracket else word), (port.removeprefix(":") if port else None)
    if word.count(":") > 1:
        return word, None
    address, colon, port = word.rpartition(":")
    if colon:
        return address or None, port
    return (None, word) if word[:1].isdigit() and "." not in word else (word, None)


def _addresses(text: str, word: str) -> Iterable[IPAddress]:
    if text == "localhost":  # RFC 6761 §6.3
        return ip_address("127.0.0.1"), ip_address("::1")
    if text == "*":
        return ip_address("0.0.0.0"), ip_address("::")  # noqa: S104
    try:
        return (ip_address(text),)
    except ValueError:
        raise UsageError(f"{word!r} is no port, range or address", remedy=_EXAMPLES) from None


def _number(text: str, word: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 1 <= int(text) <= 65535:
        raise UsageError(f"{word!r} has no port between 1 and 65535", remedy="for example: 3000, 3000-3999")
    return int(text)


def _scopes(words: Iterable[str]) -> frozenset[Scope] | None:
    found = set()
    for word in words:
        if word not in {each.value for each in Scope}:
            raise UsageError(f"there is no scope {word!r}", remedy=f"one of: {', '.join(each.value for each in Scope)}")
        found.add(Scope(word))
    return frozenset(found) or None


def _pids(words: Iterable[str]) -> frozenset[int] | None:
    found = set()
    for word in words:
        if not (word.isascii() and word.isdigit()) or len(word) > 10:
            raise UsageError(f"{word!r} is no process id")
        found.add(int(word))
    return frozenset(found) or None
