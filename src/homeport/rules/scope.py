"""What a bind address means on paper."""

from __future__ import annotations

from ipaddress import ip_network

from homeport.model.addresses import IPAddress, Scope

_SHARED = ip_network("100.64.0.0/10")  # RFC 6598: neither private nor global by Python's ipaddress


def scope(address: IPAddress) -> Scope:
    """The scope of a bind address; an IPv4-mapped address (RFC 4291 §2.5.5.2) has that of the IPv4 address inside.

    The mapped unspecified address `::ffff:0.0.0.0` is every IPv4 address.
    """
    if address.version == 6 and (mapped := address.ipv4_mapped) is not None:
        address = mapped
    if address.is_unspecified:
        return Scope.EVERY
    if address.is_loopback:
        return Scope.MACHINE
    if address.is_multicast:
        return Scope.MULTICAST
    if address.is_link_local:
        return Scope.LINK
    # documentation and benchmarking blocks count as private: nobody routes them on the internet
    return Scope.PUBLIC if address.is_global and address not in _SHARED else Scope.PRIVATE
