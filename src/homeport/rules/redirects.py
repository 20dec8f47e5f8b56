"""Where a redirection leads: a Location (RFC 9110 §10.2.2) read as browsers read it (https://url.spec.whatwg.org/)."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urljoin

from homeport.errors import AddressError
from homeport.model.addresses import IPAddress
from homeport.rules import asked

STATUSES = frozenset((301, 302, 303, 307, 308))
_PORTS = {"http": 80, "https": 443}
_WEB = re.compile(r"(https?):(.*)", re.IGNORECASE | re.DOTALL)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_AROUND = "".join(chr(one) for one in range(0x21))
_WITHIN = re.compile(r"[\t\n\r]")


class Place(NamedTuple):
    """A place of the web. Exactly one of `name` and `address` is told; `path` has its query."""

    scheme: str
    name: str | None
    address: IPAddress | None
    port: int
    path: str

    @property
    def host(self) -> str:
        """Name or address as it stands in a URL."""
        if self.address is None:
            return self.name or ""
        return f"[{self.address}]" if self.address.version == 6 else str(self.address)

    @property
    def url(self) -> str:
        """As a URL, with its port where that is not the usual one."""
        return url(self.scheme, self.host, self.port, self.path)


def url(scheme: str, host: str, port: int, path: str) -> str:
    """A URL; the port is left out where the scheme means it anyway."""
    return f"{scheme}://{authority(scheme, host, port)}{path}"


def authority(scheme: str, host: str, port: int) -> str:
    """Host and port as in a URL and in the header Host; a `host` that brings its port keeps that."""
    plain = host if host.startswith("[") or host.count(":") < 2 else f"[{host}]"
    if re.search(r":\d+$", plain.rpartition("]")[2] if "]" in plain else plain) or port == _PORTS.get(scheme):
        return plain
    return f"{plain}:{port}"


def place(base: str, location: str) -> Place | None:
    """Where `location` leads from the URL `base`; None: to nothing of the web, or to nothing that can be read."""
    text = _WITHIN.sub("", location.strip(_AROUND)).partition("#")[0]
    before, question, query = text.partition("?")
    text = before.replace("\\", "/") + question + query
    scheme = base.partition(":")[0]
    found = _WEB.match(text)
    if found and (found[1].lower() != scheme or found[2].startswith("//")):
        return _absolute(found[1].lower(), found[2].lstrip("/"))
    if found:
        text = found[2]
    elif _OTHER_SCHEME.match(text):
        return None
    if text.startswith("//"):
        return _absolute(scheme, text.lstrip("/"))
    try:
        joined = urljoin(base, text)
    except ValueError:  # brackets that do not fit
        return None
    return _absolute(scheme, joined.partition("://")[2])


def _absolute(scheme: str, rest: str) -> Place | None:
    end = next((at for at, letter in enumerate(rest) if letter in "/?#"), len(rest))
    path = rest[end:].partition("#")[0]
    try:
        found = asked.parse(f"{scheme}://{rest[:end]}")
    except AddressError:
        return None
    if found.endpoint.port is None or (found.name is None and found.endpoint.address is None):
        return None
    path = path if path.startswith("/") else f"/{path}"
    return Place(scheme, found.name, found.endpoint.address, found.endpoint.port, path)
