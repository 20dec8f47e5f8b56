"""Names to addresses as a client here gets them: getaddrinfo(3), in its order (RFC 6724), in bounded time."""

from __future__ import annotations

import os
import socket as sockets
from ipaddress import ip_address
from typing import NamedTuple

from homeport.model.addresses import IPAddress
from homeport.model.evidence import Evidence
from homeport.model.explanation import Resolution
from homeport.system.files import read_regular_text
from homeport.wire import resolver

SECONDS = 2.0
"""How long a resolver may take."""

HOSTS = "/etc/hosts"
NSSWITCH = "/etc/nsswitch.conf"
RESOLV_CONF = "/etc/resolv.conf"
_MOST = 1 << 24  # bytes; block lists make /etc/hosts long


class Answer(NamedTuple):
    """The addresses of a name in a client's order, each with who said so; `error` where there are none."""

    resolutions: tuple[Resolution, ...]
    error: str | None


def resolve(name: str, seconds: float = SECONDS) -> Answer:
    """What `name` gives here. After `seconds` the resolver is left alone, and the answer says so."""
    found = _getaddrinfo(name, seconds)
    if isinstance(found, str):
        return Answer((), found)
    sources = _Sources(name)
    return Answer(tuple(Resolution(name=name, address=one, source=sources.of(one)) for one in found), None)


def in_hosts_file(name: str) -> tuple[IPAddress, ...]:
    """The addresses that the hosts file has for a name, in its order; nobody is asked."""
    wanted = name.lower().removesuffix(".")
    return tuple(dict.fromkeys(line.address for line in resolver.hosts(_read(HOSTS)) if wanted in line.names))


def in_vain(name: str) -> tuple[Evidence, ...]:
    """The lines of the hosts file that were meant to have a name, and why they do not."""
    return tuple(
        Evidence(f"{HOSTS}:{one.number}", f"{one.text} ({one.why})") for one in resolver.in_vain(_read(HOSTS), name)
    )


def search_domains() -> tuple[str, ...]:
    """The domains that the resolver tries after a name."""
    return resolver.search(_read(RESOLV_CONF))


def _getaddrinfo(name: str, seconds: float) -> tuple[IPAddress, ...] | str:
    """The addresses without repetitions, or why there are none."""
    import threading

    answers: list[tuple[IPAddress, ...] | str] = []

    def ask() -> None:
        try:
            # bytes go to the resolver as they are; text would be taken for an internationalised name once more
            rows = sockets.getaddrinfo(name.encode("ascii"), None, type=sockets.SOCK_STREAM)
            answers.append(tuple(dict.fromkeys(ip_address(str(row[4][0])) for row in rows)))
        except OSError as error:
            answers.append(error.strerror or str(error))
        except ValueError as error:  # a name that the resolver's encoding cannot hold
            answers.append(str(error))

    # a daemon: a resolver that hangs must not keep the program from ending
    thread = threading.Thread(target=ask, name="homeport-resolver", daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else f"the resolver did not answer within {seconds:g} s"


class _Sources:
    """Who said an address: the line of the hosts file that has it with the name, else the resolver by its order."""

    def __init__(self, name: str) -> None:
        self._name = name.lower().removesuffix(".")
        self._lines = resolver.hosts(_read(HOSTS))
        order = resolver.order(_read(NSSWITCH))
        self._rest = "resolver" if order is None else f"resolver ({NSSWITCH}:{order[0]}: hosts: {order[1]})"

    def of(self, address: IPAddress) -> str:
        for line in self._lines:
            if line.address == address and self._name in line.names:
                return f"{HOSTS}:{line.number}"
        return self._rest


def _read(path: str) -> str:
    """A file of the resolver; nothing where there is none, as on Windows."""
    return (read_regular_text(path, _MOST) or "") if os.name == "posix" else ""
