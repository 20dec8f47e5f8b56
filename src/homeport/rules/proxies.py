"""Which clients send a call through a proxy, by the environment: each reads the variables in its own way.

There is no standard for `http_proxy`, `NO_PROXY` and their kin, only habits. The table says what each client does by
its own documentation or source; `localhost` and 127.0.0.1 are sent to the proxy like anything else, but for Go's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from homeport.model.addresses import IPAddress

VARIABLES = frozenset(("http_proxy", "https_proxy", "all_proxy", "no_proxy", "node_use_env_proxy"))
"""The variables that matter, in lower case; each may be written in capitals."""


class Proxied(NamedTuple):
    """A client that sends the call through `proxy` (a password in it is left out), because `variable` says so."""

    client: str
    variable: str
    proxy: str


class Client(NamedTuple):
    """How a client reads the environment.

    Of the variables for a scheme the first that is set counts, and so with `without`. `spared` says whether the value
    of that one (empty: none is set) spares a host and port. `only_with` is a variable that must be set too.
    """

    name: str
    http: tuple[str, ...]
    https: tuple[str, ...]
    without: tuple[str, ...]
    spared: Callable[[str, int, str], bool]
    reference: str
    only_with: str | None = None


def through_proxy(url: str, environment: Mapping[str, str]) -> tuple[Proxied, ...]:
    """The clients that would send a call of `url` through a proxy; none where it is no URL of the web."""
    place = _place(url)
    return () if place is None else tuple(_proxied(*place, environment))


def _place(url: str) -> tuple[bool, str, int] | None:
    """Whether a URL means TLS, its host and its port."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    if not host or parts.scheme not in ("http", "https", "ws", "wss"):
        return None
    tls = parts.scheme in ("https", "wss")
    return tls, host, port or (443 if tls else 80)


def _proxied(tls: bool, host: str, port: int, environment: Mapping[str, str]) -> Iterator[Proxied]:
    for client in CLIENTS:
        variable = _first(client.https if tls else client.http, environment)
        if variable is None or (client.only_with is not None and environment.get(client.only_with) != "1"):
            continue
        kept = _first(client.without, environment)
        if not client.spared(host.rstrip("."), port, environment[kept] if kept is not None else ""):
            yield Proxied(client.name, variable, _masked(environment[variable]))


def _first(names: tuple[str, ...], environment: Mapping[str, str]) -> str | None:
    return next((name for name in names if environment.get(name)), None)


def _masked(proxy: str) -> str:
    return re.sub(r"^((?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?[^/]*@", lambda found: f"{found[1] or ''}***@", proxy)


def _curl(host: str, _: int, value: str) -> bool:
    """`*` alone; names with their subdomains, a dot before them or not; addresses and networks; no ports."""
    if value.strip() == "*":
        return True
    words = [word.strip().strip(".").lower() for word in re.split(r"[,\s]+", value)]
    address = _address(host)
    if address is not None:
        return any(_in_network(address, word) for word in words)
    return any(_is_or_below(host, word) for word in words)


def _wget(host: str, _: int, value: str) -> bool:
    """The host's end, at a dot; nothing else."""
    words = [word.strip().lower() for word in value.split(",")]
    return any(
        host == word or (word.startswith(".") and host.endswith(word)) or host.endswith(f".{word}")
        for word in words
        if word
    )


def _urllib(host: str, port: int, value: str) -> bool:
    """`*` alone; names and addresses with what ends in them after a dot, with a port or not; IPv6 in brackets."""
    if value == "*":
        return True
    plain = f"[{host}]" if ":" in host else host
    words = [word.strip().lstrip(".").lower() for word in value.split(",")]
    return any(_is_or_below(one, word) for word in words for one in (plain, f"{plain}:{port}"))


def _requests(host: str, port: int, value: str) -> bool:
    """IPv4 by address and network; names by their end, even within a word, with a port or not; then as urllib does."""
    words = [word.lower() for word in value.replace(" ", "").split(",") if word]
    address = _address(host)
    if address is not None and address.version == 4:
        if any(_in_network(address, word) for word in words):
            return True
    elif any(host.endswith(word) or f"{host}:{port}".endswith(word) for word in words):
        return True
    bare = [word.lstrip(".") for word in words]
    return value == "*" or any(_is_or_below(host, word) for word in bare)


def _node(host: str, port: int, value: str) -> bool:
    """`*`; a host itself; `.name` and `*.name` what is below; `first-last` of IPv4; each with a port or not."""
    address = _address(host)
    for word in re.split(r"[,\s]+", value.lower()):
        entry, wanted = _port(word)
        if not entry or (wanted is not None and wanted != port):
            continue
        entry = entry.strip("[]")
        if entry in ("*", host) or (entry.startswith((".", "*.")) and host.endswith(entry.lstrip("*"))):
            return True
        first, dash, last = entry.partition("-")
        ends = (_address(first), _address(last))
        if dash and address is not None and ends[0] is not None and ends[1] is not None:
            same = {one.version for one in (address, *ends) if one is not None} == {4}
            if same and int(ends[0]) <= int(address) <= int(ends[1]):
                return True
    return False


def _go(host: str, port: int, value: str) -> bool:
    """Loopback always; `*`; names with their subdomains, after a dot these alone; addresses, networks, ports."""
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    for word in value.lower().split(","):
        text = word.strip()
        if text == "*":
            return True
        entry, wanted = (text, None) if "/" in text else _port(text)
        if not entry or (wanted is not None and wanted != port):
            continue
        if address is not None:
            if _in_network(address, entry.strip("[]")):
                return True
        elif entry.startswith(("*.", ".")):
            if host.endswith(entry.lstrip("*")):
                return True
        elif _is_or_below(host, entry):
            return True
    return False


def _address(text: str) -> IPAddress | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _in_network(address: IPAddress, text: str) -> bool:
    try:
        network = ip_network(text, strict=False)
    except ValueError:  # a name
        return False
    return network.version == address.version and address in network


def _is_or_below(host: str, name: str) -> bool:
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _port(word: str) -> tuple[str, int | None]:
    """`name:80`, `[::1]:80` and `::1` into host and port."""
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d{1,5})", word)
    return (word, None) if found is None else (found[1], int(found[2]))


_NO = ("no_proxy", "NO_PROXY")

CLIENTS = (
    Client(
        "curl",
        ("http_proxy", "all_proxy", "ALL_PROXY"),
        ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
        _NO,
        _curl,
        "curl(1), ENVIRONMENT: http_proxy is read in lower case only; --noproxy",
    ),
    Client("wget", ("http_proxy",), ("https_proxy",), ("no_proxy",), _wget, "wget manual, 8.1 Proxies"),
    Client(
        "Python's urllib",
        ("http_proxy", "HTTP_PROXY"),
        ("https_proxy", "HTTPS_PROXY"),
        _NO,
        _urllib,
        "https://docs.python.org/3/library/urllib.request.html#urllib.request.getproxies",
    ),
    Client(
        "Python's requests",
        ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"),
        ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
        _NO,
        _requests,
        "https://requests.readthedocs.io/en/latest/user/advanced/#proxies",
    ),
    Client(
        "Node.js",
        ("http_proxy", "HTTP_PROXY"),
        ("https_proxy", "HTTPS_PROXY"),
        _NO,
        _node,
        "https://nodejs.org/api/http.html#built-in-proxy-support",
        only_with="NODE_USE_ENV_PROXY",
    ),
    Client(
        "Go's net/http",
        ("HTTP_PROXY", "http_proxy"),
        ("HTTPS_PROXY", "https_proxy"),
        ("NO_PROXY", "no_proxy"),
        _go,
        "https://pkg.go.dev/net/http#ProxyFromEnvironment: never for localhost and loopback addresses",
    ),
)
