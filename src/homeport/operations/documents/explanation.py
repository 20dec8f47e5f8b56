"""The document of `homeport explain`."""

from __future__ import annotations

from typing import Any

from homeport.model.addresses import Endpoint
from homeport.model.explanation import AddressExplanation, Block, Explanation, PortExplanation, Resolution, Route
from homeport.operations.documents.listing import evidence
from homeport.rules.addresses import spelled
from homeport.rules.special_blocks import REGISTRY_DATE


def document(one: Explanation) -> dict[str, Any]:
    """`{asked, name, endpoint, notes, addresses, port, limits}`; what is not known or not asked is null."""
    return {
        "asked": one.asked,
        "name": one.name,
        "endpoint": endpoint(one.endpoint),
        "notes": list(one.notes),
        "addresses": [address(each) for each in one.addresses],
        "port": None if one.port is None else port(one.port),
        "limits": list(one.limits),
    }


def endpoint(one: Endpoint) -> dict[str, Any]:
    """Protocol, address and port, each null where none was given."""
    return {
        "protocol": None if one.protocol is None else one.protocol.value,
        "address": None if one.address is None else spelled(one.address),
        "port": one.port,
    }


def address(one: AddressExplanation) -> dict[str, Any]:
    """An address on paper and here; `registry_date` is that of `blocks`, most specific first."""
    return {
        "address": spelled(one.address),
        "family": one.family.value,
        "scope": one.scope.value,
        "registry_date": REGISTRY_DATE.isoformat(),
        "blocks": [block(each) for each in one.blocks],
        "notes": list(one.notes),
        "interfaces": list(one.interfaces),
        "here": evidence(one.here),
        "routes": [route(each) for each in one.routes],
        "settings": dict(one.settings),
        "resolutions": [resolution(each) for each in one.resolutions],
    }


def block(one: Block) -> dict[str, Any]:
    """A row of a special-purpose registry; null is N/A there."""
    return {
        "network": one.network,
        "name": one.name,
        "references": list(one.references),
        "allocated": one.allocated,
        "terminated": one.terminated,
        "source": one.source,
        "destination": one.destination,
        "forwardable": one.forwardable,
        "globally_reachable": one.globally_reachable,
        "reserved_by_protocol": one.reserved_by_protocol,
        "footnote": one.footnote,
    }


def route(one: Route) -> dict[str, Any]:
    """What the kernel does with a packet to `destination`, or the error that it gives."""
    return {
        "destination": str(one.destination),
        "kind": one.kind,
        "interface": one.interface,
        "source": None if one.source is None else str(one.source),
        "gateway": None if one.gateway is None else str(one.gateway),
        "error": one.error,
    }


def resolution(one: Resolution) -> dict[str, Any]:
    """An address that a name gives here, and who said so."""
    return {"name": one.name, "address": str(one.address), "source": one.source}


def port(one: PortExplanation) -> dict[str, Any]:
    """A port on paper and here; `ephemeral` is `[low, high]`, both ends included."""
    return {
        "port": one.port,
        "range": one.range.value,
        "registry_date": one.registry_date.isoformat(),
        "services": [
            {"name": each.name, "protocol": each.protocol, "description": each.description} for each in one.services
        ],
        "habits": [{"program": each.program, "what": each.what} for each in one.habits],
        "ephemeral": None if one.ephemeral is None else list(one.ephemeral),
        "in_ephemeral": one.in_ephemeral,
        "reserved": one.reserved,
        "privileged": one.privileged,
        "unprivileged_start": one.unprivileged_start,
        "browser_refuses": one.browser_refuses,
        "notes": list(one.notes),
        "evidence": _port_evidence(one),
    }


def _port_evidence(one: PortExplanation) -> list[dict[str, str]]:
    """Where each statement is from."""
    folder = "/proc/sys/net/ipv4/"
    found = [
        {"source": "RFC 6335 §6", "text": f"range: {one.range.value}"},
        {
            "source": f"IANA service registry of {one.registry_date.isoformat()}",
            "text": f"services: {len(one.services)}",
        },
        {"source": "Fetch standard, bad ports", "text": f"browser_refuses: {str(one.browser_refuses).lower()}"},
    ]
    if one.ephemeral is not None:
        found.append({"source": f"{folder}ip_local_port_range", "text": f"{one.ephemeral[0]} {one.ephemeral[1]}"})
    if one.reserved is not None:
        found.append({"source": f"{folder}ip_local_reserved_ports", "text": f"reserved: {str(one.reserved).lower()}"})
    if one.unprivileged_start is not None:
        found.append({"source": f"{folder}ip_unprivileged_port_start", "text": str(one.unprivileged_start)})
    return found
