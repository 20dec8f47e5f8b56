"""From where a listener can be addressed, on paper: by its bind address, its interface and its network namespace.

Whether a firewall lets it through is another matter, and is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterable

from homeport.model.addresses import IPAddress, Scope
from homeport.model.evidence import Evidence
from homeport.model.snapshot import Listener

_MEANING = {
    Scope.MACHINE: ("programs of {here} only", "loopback: RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3"),
    Scope.LINK: ("neighbours on the same link", "link-local: RFC 3927, RFC 4291 section 2.5.6"),
    Scope.PRIVATE: ("the networks that can reach {address}, a private address", "RFC 1918, RFC 4193, RFC 6598"),
    Scope.PUBLIC: ("everybody who can reach {address}, a public address", "IANA special-purpose address registries"),
    Scope.MULTICAST: ("whoever sends to the group {address}", "multicast: RFC 5771, RFC 4291 section 2.7"),
    Scope.EVERY: ("everybody who can reach any address of {here}", "bound to the unspecified address: ip(7), ipv6(7)"),
}
_SHOWN = 6


def reach(
    listener: Listener, *, own: bool, namespace: str | None, addresses: Iterable[IPAddress] = ()
) -> tuple[Evidence, ...]:
    """Each way to address it, with what that rests on.

    `own`: it is in the caller's network namespace; else `namespace` names its own, and `addresses` are those it has.
    """
    socket = listener.socket
    here = "this machine" if own else f"network namespace {namespace}"
    text, basis = _MEANING[listener.scope]
    text = text.format(here=here, address=socket.address)
    if socket.address.version == 6 and socket.address.is_unspecified and socket.v6only is not None:
        text += ", over IPv6 only" if socket.v6only else ", over IPv6 and IPv4"
    if socket.interface:
        text += f", by interface number {socket.interface} only"
    found = [Evidence(basis, text)]
    if not own and listener.scope is Scope.EVERY:
        outer = sorted((one for one in addresses if _useful(one, listener)), key=lambda one: (one.version, int(one)))
        shown = ", ".join(str(one) for one in outer[:_SHOWN]) + (" …" if len(outer) > _SHOWN else "")
        if outer:
            found.append(Evidence(f"addresses of the network namespace {namespace}", f"its addresses are {shown}"))
    return tuple(found)


def _useful(address: IPAddress, listener: Listener) -> bool:
    if address.is_loopback or address.is_link_local:
        return False
    bound = listener.socket.address
    return address.version == bound.version or (bound.version == 6 and listener.socket.v6only is False)
