"""What an address means on paper, and what the interfaces of this machine add."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from homeport.model.addresses import IPAddress, Scope
from homeport.model.evidence import Evidence
from homeport.model.explanation import Block, Interface
from homeport.rules import scope as binding
from homeport.rules.habits import ADDRESSES
from homeport.rules.special_blocks import BLOCKS

_MULTICAST_4 = (
    ("224.0.0.0/24", "Local Network Control Block: never leaves the link (RFC 5771 §4)"),
    ("224.0.1.0/24", "Internetwork Control Block (RFC 5771 §5)"),
    ("232.0.0.0/8", "Source-Specific Multicast (RFC 4607)"),
    ("233.0.0.0/8", "GLOP, by autonomous system (RFC 3180)"),
    ("239.0.0.0/8", "administratively scoped: stays within an organisation (RFC 2365)"),
)
_MULTICAST_6_SCOPES = {
    1: "this interface only",
    2: "this link",
    3: "this realm",
    4: "the administrator's own scope",
    5: "this site",
    8: "this organisation",
    14: "everywhere",
}
_MAPPED = "::ffff:0:0/96"
_NAT64 = IPv6Network("64:ff9b::/96")
_SOLICITED = IPv6Network("ff02::1:ff00:0/104")


def embedded(address: IPAddress) -> IPv4Address | None:
    """The IPv4 address for which an IPv4-mapped one stands (RFC 4291 §2.5.5.2); None for any other."""
    return address.ipv4_mapped if isinstance(address, IPv6Address) else None


def spelled(address: IPAddress) -> str:
    """An address as RFC 5952 §5 has it: an IPv4-mapped one with the IPv4 address in it, `::ffff:127.0.0.1`."""
    inside = embedded(address)
    return str(address) if inside is None else f"::ffff:{inside}"


def blocks(address: IPAddress) -> tuple[Block, ...]:
    """The rows of the special-purpose registries that hold an address, most specific first.

    For an IPv4-mapped address the rows of the IPv4 address inside follow. None: nothing special about it.
    """
    plain = _without_zone(address)
    found = [(ip_network(one.network), one) for one in BLOCKS]
    own = [(network, one) for network, one in found if plain.version == network.version and plain in network]
    own.sort(key=lambda pair: -pair[0].prefixlen)
    inside = embedded(plain)
    return (*(one for _, one in own), *(blocks(inside) if inside is not None else ()))


def scope(address: IPAddress) -> Scope:
    """The scope of an address; not public where the registry says so of a block that this Python does not know yet."""
    found = binding.scope(address)
    rows = blocks(address)
    inner = rows[-1:] if embedded(_without_zone(address)) is not None else rows[:1]
    if found is Scope.PUBLIC and any(one.globally_reachable is False for one in inner if one.network != _MAPPED):
        return Scope.PRIVATE
    return found


def notes(address: IPAddress) -> tuple[str, ...]:
    """What the standards say about an address beyond its rows, each with its source, and its one well-known use."""
    plain = _without_zone(address)
    inside = embedded(plain)
    found = [text for rule in _RULES for text in rule(plain)]
    found += [text for known, text in ADDRESSES if ip_address(known) in (plain, inside)]
    zone = getattr(address, "scope_id", None)
    if plain.version == 6 and plain.is_link_local and zone is None:
        found.append(
            "every link has such addresses: without a zone, as in fe80::1%eth0, it is not complete (RFC 4007 §6)"
        )
    if zone is not None and not (plain.is_link_local or plain.is_multicast):
        found.append(
            f"the zone %{zone} says nothing here: only link-local and multicast addresses have one (RFC 4007 §6)"
        )
    return tuple(found)


def owners(address: IPAddress, interfaces: Iterable[Interface]) -> tuple[str, ...]:
    """The names of the interfaces that have an address; a zone leaves only the one it names."""
    plain = _without_zone(address)
    plain = embedded(plain) or plain
    return tuple(
        one.name for one in interfaces if any(each.ip == plain for each in one.addresses) and _zone_fits(address, one)
    )


def neighbourhood(address: IPAddress, interfaces: Iterable[Interface]) -> tuple[Evidence, ...]:
    """The networks of this machine's interfaces that an address belongs to, and as what."""
    plain = _without_zone(address)
    plain = embedded(plain) or plain
    found = []
    for one in interfaces:
        for each in one.addresses:
            network = each.network
            if plain not in network or each.ip == plain or network.num_addresses == 1 or not _zone_fits(address, one):
                continue
            source = f"interface {one.name}, {each.with_prefixlen}"
            found.append(Evidence(source, _place_in(plain, network, one)))
    return tuple(dict.fromkeys(found))


def _place_in(plain: IPAddress, network: IPv4Network | IPv6Network, interface: Interface) -> str:
    if plain in interface.broadcasts:
        return f"the broadcast address of {network}: every host of that network"
    if plain.version == 4 and network.prefixlen < 31 and plain == network.network_address:
        return f"the address of the network {network} itself, which no host has (RFC 1122 §3.2.1.3)"
    if network.is_loopback:
        return f"in {network}, all of which is this machine"
    return f"in {network}: a neighbour on the same link, if it is there"


def _zone_fits(address: IPAddress, interface: Interface) -> bool:
    zone = getattr(address, "scope_id", None)
    return zone is None or zone == interface.name or zone == str(interface.index)


def _without_zone(address: IPAddress) -> IPAddress:
    return IPv6Address(int(address)) if isinstance(address, IPv6Address) and address.scope_id else address


def _mapped(address: IPAddress) -> Iterator[str]:
    inside = embedded(address)
    if inside is not None:
        yield (
            f"stands for {inside}: the form in which an IPv6 socket that takes IPv4 too sees IPv4 addresses; "
            "on the wire there is only IPv4 (RFC 4291 §2.5.5.2)"
        )


def _loopback(address: IPAddress) -> Iterator[str]:
    address = embedded(address) or address
    if not address.is_loopback:
        return
    yield "reached only from this machine, and from its own network namespace: a container has a loopback of its own"
    if address.version == 4:
        yield "packets to 127.0.0.0/8 must not appear outside a host (RFC 1122 §3.2.1.3)"
        if str(address) != "127.0.0.1":
            yield "Linux answers at all of 127.0.0.0/8; macOS only at 127.0.0.1, until others are added to lo0"
    else:
        yield "packets to ::1 are never sent out of a node, and ::1 is one address, not a block (RFC 4291 §2.5.3)"


def _unspecified(address: IPAddress) -> Iterator[str]:
    inner = embedded(address) or address
    if not inner.is_unspecified:
        return
    every = "every IPv4 address" if inner.version == 4 else "every address"
    yield f"to listen at: {every} of every interface, so that others can connect"
    if inner.version == 6:
        yield "a socket bound to :: takes IPv4 clients too, unless IPV6_V6ONLY is set (RFC 3493 §5.3, ipv6(7))"
        yield "as a destination it must not be used (RFC 4291 §2.5.2); Linux then connects to ::1"
    else:
        yield "as a destination it must not be used (RFC 1122 §3.2.1.3); Linux and macOS then connect to 127.0.0.1"
        yield "Chrome and Safari refuse to load it, since it went around their protection of local servers"


def _broadcast(address: IPAddress) -> Iterator[str]:
    if str(address) == "255.255.255.255":
        yield "every host of the link; never forwarded (RFC 919 §7)"


def _private(address: IPAddress) -> Iterator[str]:
    address = embedded(address) or address
    if address.version == 4 and any(address in network for network in map(ip_network, _RFC1918)):
        yield "in many networks at once, each with its own: meaningless outside of this one (RFC 1918)"
    if address in ip_network("100.64.0.0/10"):
        yield "between a provider and its customers (carrier-grade NAT, RFC 6598); Tailscale uses it too"
    if address in ip_network("fc00::/8"):
        yield "the half of Unique-Local that has never been defined: only fd00::/8 is in use (RFC 4193 §3.1)"


_RFC1918 = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def _link_local(address: IPAddress) -> Iterator[str]:
    if address in ip_network("169.254.0.0/16"):
        yield "chosen by the machine itself where no DHCP server answers; valid on one link only (RFC 3927)"
    if address in ip_network("fec0::/10"):
        yield "site-local, deprecated (RFC 3879): Unique-Local addresses took its place (RFC 4193)"


def _multicast(address: IPAddress) -> Iterator[str]:
    if not address.is_multicast:
        return
    yield "a group, not a host: datagrams only, no TCP connection can be made to it"
    if isinstance(address, IPv4Address):
        yield from (text for network, text in _MULTICAST_4 if address in ip_network(network))
        return
    number = address.packed[1] & 0xF
    reach = _MULTICAST_6_SCOPES.get(number, f"scope {number}, which is not assigned")
    yield f"reaches {reach} (RFC 4291 §2.7, RFC 7346)"
    if address in _SOLICITED:
        yield "the solicited-node group, by which neighbours find a link-layer address (RFC 4861)"


def _translated(address: IPAddress) -> Iterator[str]:
    if not isinstance(address, IPv6Address):
        return
    if address in _NAT64:
        yield f"leads to {IPv4Address(int(address) & 0xFFFFFFFF)} through a NAT64 translator (RFC 6052 §2.1)"
    if address.sixtofour is not None:
        yield f"belongs to the IPv4 address {address.sixtofour} (RFC 3056 §2); its relays are deprecated (RFC 7526)"
    if address.teredo is not None:
        server, client = address.teredo
        yield f"a Teredo client at {client}, by the server {server} (RFC 4380 §4)"
    if 1 < int(address) < 1 << 32:
        yield f"IPv4-compatible, deprecated: holds {IPv4Address(int(address))} (RFC 4291 §2.5.5.1)"


_RULES: Sequence[Callable[[IPAddress], Iterable[str]]] = (
    _mapped,
    _loopback,
    _unspecified,
    _broadcast,
    _private,
    _link_local,
    _multicast,
    _translated,
)
