"""Which socket a client reaches, when several have the same port.

Several programs can have port 3000 at once: on `127.0.0.1`, on `0.0.0.0`, on `::1` and on `::`. The kernel looks for
the destination address itself first and only then for the wildcard, and gives points among those that fit
(`__inet_lookup_listener` and `compute_score` of net/ipv4/inet_hashtables.c and net/ipv4/udp.c, and their IPv6 twins):

1. a socket bound to the very address beats one bound to the wildcard;
2. then one bound to the interface that the packet comes in by (SO_BINDTODEVICE, socket(7)) beats one bound to none;
3. then, for IPv4, an IPv4 socket beats an IPv6 one that takes IPv4 too (no IPV6_V6ONLY, ipv6(7));
4. sockets that are still alike share: by SO_REUSEPORT (socket(7)) the kernel spreads clients over them.

Which address a client tries first is not the kernel's business but that of getaddrinfo(3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.explanation import Resolution
from homeport.model.page import Candidate
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules.naming import address_text

LOOPBACK_INTERFACE = 1
"""Index of `lo` in every network namespace; what this machine says to itself at loopback addresses comes in by it."""


def destination(address: IPAddress) -> IPAddress:
    """Where a packet to `address` really goes: the unspecified address is connected as loopback, and `::ffff:a` as `a`.

    Linux does the first in `ip_route_output_key_hash` and `tcp_v6_connect`; RFC 4291 §2.5.5.2 has the second.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_unspecified:
        return address
    return IPv4Address("127.0.0.1") if address.version == 4 else IPv6Address("::1")


def endpoint_text(address: IPAddress | None, port: int) -> str:
    """`127.0.0.1:80`, `[::1]:80` (RFC 5952 §6), or `:80` where no address is meant."""
    if address is None:
        return f":{port}"
    return f"{address}:{port}" if address.version == 4 else f"[{address_text(address)}]:{port}"


def answerers(
    address: IPAddress,
    port: int,
    listeners: Iterable[Listener],
    netns: int | None,
    protocol: Protocol = Protocol.TCP,
    interface: int | None = LOOPBACK_INTERFACE,
) -> tuple[Listener, ...]:
    """Every listener of `netns` that a client of `address` in that namespace may reach: more than one where they share.

    `interface` is the index of the one that the client's packets come in by, None if that is not known. A datagram to a
    multicast group is copied to all that fit. `netns` None takes sockets of any namespace for the same.
    """
    wanted = destination(address)
    scored = []
    for listener in listeners:
        socket = listener.socket
        if socket.port != port or socket.protocol is not protocol or not socket.is_listener:
            continue
        if netns is not None and socket.netns != netns:  # None: of one that the caller may not read
            continue
        score = _score(socket, wanted, interface)
        if score is not None:
            scored.append((score, listener))
    if not scored:
        return ()
    if protocol is Protocol.UDP and wanted.is_multicast:
        return tuple(listener for _, listener in scored)
    best = max(score for score, _ in scored)
    return tuple(listener for score, listener in scored if score == best)


def who_answers(
    address: IPAddress,
    port: int,
    listeners: Iterable[Listener],
    netns: int | None,
    protocol: Protocol = Protocol.TCP,
    interface: int | None = LOOPBACK_INTERFACE,
) -> Listener | None:
    """The listener that a client of `address` reaches (of those that share: the first given), or None if nobody."""
    found = answerers(address, port, listeners, netns, protocol, interface)
    return found[0] if found else None


def candidates(
    resolutions: Iterable[Resolution],
    port: int,
    listeners: Sequence[Listener],
    netns: int | None,
    protocol: Protocol = Protocol.TCP,
) -> tuple[Candidate, ...]:
    """For each address that a client of a name tries, in its order: who would answer there, and by which rule."""
    result = []
    for resolution in resolutions:
        found = answerers(resolution.address, port, listeners, netns, protocol)
        every = answerers_before_ranking(resolution.address, port, listeners, netns, protocol)
        beaten = [other for other in every if other not in found]
        result.append(
            Candidate(
                address=resolution.address,
                protocol=protocol,
                listener=found[0] if found else None,
                evidence=Evidence(resolution.source, _rule(found, beaten)),
            )
        )
    return tuple(result)


def answerers_before_ranking(
    address: IPAddress,
    port: int,
    listeners: Iterable[Listener],
    netns: int | None,
    protocol: Protocol = Protocol.TCP,
    interface: int | None = LOOPBACK_INTERFACE,
) -> tuple[Listener, ...]:
    """Every listener that would answer a client of `address` if no other did."""
    listeners = tuple(listeners)
    return tuple(one for one in listeners if answerers(address, port, (one,), netns, protocol, interface))


def _score(socket: Socket, wanted: IPAddress, interface: int | None) -> tuple[bool, bool, bool] | None:
    """How well a socket fits (bound to the address, to the interface, IPv4 itself); None: not at all."""
    if interface == LOOPBACK_INTERFACE and not wanted.is_loopback:
        # what this machine says to itself counts as come in by the interface of the address: `orig_oif` of
        # ip_route_output_key_hash_rcu, net/ipv4/route.c; IPv6 does the same
        interface = None
    if socket.interface and interface is not None and socket.interface != interface:
        return None
    bound = socket.address
    native = bound.version == wanted.version
    if isinstance(bound, IPv6Address) and wanted.version == 4:
        if bound.is_unspecified:
            # None: the source cannot tell. Only one that surely does not take IPv4 is left out, and _rule says so
            return None if socket.v6only else (False, bool(socket.interface), False)
        if bound.ipv4_mapped is None:
            return None
        bound = bound.ipv4_mapped
    if bound == wanted or _same_but_zone(bound, wanted):
        return True, bool(socket.interface), native
    if bound.version == wanted.version and bound.is_unspecified:
        return False, bool(socket.interface), native
    return None


def _same_but_zone(one: IPAddress, other: IPAddress) -> bool:
    """Whether two IPv6 addresses are equal where only one of them tells its zone."""
    if not (isinstance(one, IPv6Address) and isinstance(other, IPv6Address)):
        return False
    return int(one) == int(other) and (one.scope_id is None or other.scope_id is None)


def _rule(found: Sequence[Listener], beaten: Sequence[Listener]) -> str:
    """Why these answer rather than those, in a line."""
    if not found:
        return "nothing listens there"
    socket = found[0].socket
    if not socket.address.is_unspecified:
        text = "bound to this very address"
    elif socket.address.version == 4:
        text = "bound to 0.0.0.0, every IPv4 address"
    elif socket.v6only is None:
        text = "bound to [::], every IPv6 address, and IPv4 too unless IPV6_V6ONLY is set (this source cannot tell)"
    else:
        text = f"bound to [::], every IPv6 address{'' if socket.v6only else ' and, without IPV6_V6ONLY, IPv4 too'}"
    if len(found) > 1:
        text += f"; {len(found)} sockets bound alike share it"
    if beaten:
        others = dict.fromkeys(endpoint_text(one.socket.address, one.socket.port) for one in beaten)
        text += f"; beats {' and '.join(others)}"
    return text


def other_end(peer: Socket, sockets: Iterable[Listener]) -> Listener | None:
    """The socket on this machine that is the other end of `peer`'s connection: the same endpoints, crosswise."""
    if peer.peer_address is None or peer.peer_port is None:
        return None
    here = destination(peer.address), peer.port
    there = destination(peer.peer_address), peer.peer_port
    for one in sockets:
        socket = one.socket
        if socket.peer_address is None or socket.protocol is not peer.protocol or socket.state is State.TIME_WAIT:
            continue
        if (destination(socket.address), socket.port) != there:
            continue
        if (destination(socket.peer_address), socket.peer_port) == here and _may_be_joined(peer, socket):
            return one
    return None


def _may_be_joined(one: Socket, other: Socket) -> bool:
    """Whether two sockets can be ends of one connection: loopback addresses mean another machine in each namespace."""
    if one.netns is None or other.netns is None or one.netns == other.netns:
        return True
    return not destination(one.address).is_loopback and not destination(other.address).is_loopback
