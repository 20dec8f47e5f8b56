"""`homeport explain`: what an address and a port mean, on paper and on this machine, though nothing listens."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from homeport.errors import HomeportError, SourceError
from homeport.model.addresses import Endpoint, Family, IPAddress
from homeport.model.evidence import Evidence
from homeport.model.explanation import (
    AddressExplanation,
    Explanation,
    Interface,
    PortExplanation,
    Resolution,
    Route,
)
from homeport.rules import addresses as paper
from homeport.rules import ports
from homeport.rules.asked import Asked, parse
from homeport.rules.habits import habits
from homeport.rules.neighbours import destination
from homeport.system import registries, resolving, routing, sysctl

MAX_ADDRESSES = 16
"""How many addresses of one name are explained."""
MAX_INTERFACES = 256
"""Of how many interfaces the settings are read."""

_LOCALHOST = "localhost"
_LOOPBACK = ("127.0.0.1", "::1")


def explain(text: str, seconds: float = resolving.SECONDS) -> Explanation:
    """Explain what `text` names. `seconds`: for the resolver.

    Raises AddressError for a text that names nothing, and HomeportError for a name that has no address here.
    """
    asked = parse(text)
    limits: dict[str, None] = {}
    interfaces = _interfaces(limits)
    found, resolutions, notes = _addresses(asked, limits, seconds)
    return Explanation(
        asked=asked.text,
        endpoint=asked.endpoint,
        name=asked.name,
        addresses=tuple(_address(one, interfaces, resolutions, limits) for one in found),
        port=None if asked.endpoint.port is None else _port(asked.endpoint.port, limits),
        limits=tuple(limits),
        notes=(*asked.notes, *notes),
    )


def _addresses(
    asked: Asked, limits: dict[str, None], seconds: float
) -> tuple[tuple[IPAddress, ...], tuple[Resolution, ...], tuple[str, ...]]:
    """The addresses to explain, what was resolved for them, and what is to be said about that."""
    typed = asked.endpoint.address
    if asked.name is None and typed is not None:
        local = destination(typed).is_loopback
        return (typed,), _localhost(_LOCALHOST, limits, seconds)[0] if local else (), ()
    if asked.name is None or _is_localhost(asked.name):
        resolutions, notes = _localhost(asked.name or _LOCALHOST, limits, seconds)
        return tuple(one.address for one in resolutions), resolutions, notes
    answer = resolving.resolve(asked.name, seconds)
    if answer.error is not None:
        raise HomeportError(
            f"{asked.name} gives no address here", why=answer.error, remedy=_without_the_name(asked.endpoint)
        )
    found = tuple(one.address for one in answer.resolutions)
    if len(found) > MAX_ADDRESSES:
        limits[f"{asked.name} has {len(found)} addresses here: the first {MAX_ADDRESSES} are explained"] = None
    return found[:MAX_ADDRESSES], answer.resolutions, ()


def _without_the_name(endpoint: Endpoint) -> str:
    if endpoint.port is None:
        return "ask for an address, or for a port: homeport explain :80"
    return f"homeport explain :{endpoint.port} explains the port alone"


def _is_localhost(name: str) -> bool:
    """`localhost` and whatever ends in `.localhost` (RFC 6761 §6.3)."""
    plain = name.removesuffix(".")
    return plain == _LOCALHOST or plain.endswith(f".{_LOCALHOST}")


def _localhost(name: str, limits: dict[str, None], seconds: float) -> tuple[tuple[Resolution, ...], tuple[str, ...]]:
    """What the resolver says about a localhost name; where it says nothing, what RFC 6761 has it say."""
    answer = resolving.resolve(name, seconds)
    if answer.error is not None:
        from ipaddress import ip_address

        limits[f"{name} gives no address here: {answer.error}"] = None
        source = "RFC 6761 §6.3, not the resolver"
        found = tuple(Resolution(name=name, address=ip_address(one), source=source) for one in _LOOPBACK)
        return found, (
            f"programs that ask the resolver here do not find {name}; browsers and others know it as loopback by "
            "themselves (RFC 6761 §6.3)",
        )
    strange = [str(one.address) for one in answer.resolutions if not destination(one.address).is_loopback]
    if strange:
        return answer.resolutions, (
            f"{name} gives {', '.join(strange)} here, though a localhost name must mean loopback (RFC 6761 §6.3)",
        )
    return answer.resolutions, ()


def _interfaces(limits: dict[str, None]) -> tuple[Interface, ...]:
    missing = routing.missing()
    if missing is not None:
        limits[f"routes: {missing}; which source address it chooses is all that can be told"] = None
    try:
        return routing.interfaces()
    except SourceError as error:
        limits[str(error)] = None
        return ()


def _address(
    address: IPAddress, interfaces: Sequence[Interface], resolutions: tuple[Resolution, ...], limits: dict[str, None]
) -> AddressExplanation:
    route = routing.route(destination(address))
    owned = paper.owners(address, interfaces)
    return AddressExplanation(
        address=address,
        family=Family.IPV4 if address.version == 4 else Family.IPV6,
        scope=paper.scope(address),
        blocks=paper.blocks(address),
        notes=paper.notes(address),
        interfaces=owned,
        routes=(route,),
        settings=_settings(address, owned, route, interfaces, limits),
        resolutions=resolutions,
        here=(*paper.neighbourhood(address, interfaces), *_no_ipv6(address)),
    )


def _no_ipv6(address: IPAddress) -> tuple[Evidence, ...]:
    """A kernel without IPv6, or one where it is off for the interface of loopback."""
    if address.version == 4 or not sys.platform.startswith("linux") or sysctl.read("kernel", "ostype") is None:
        return ()
    if sysctl.read("net", "ipv6", "bindv6only") is None:
        return (Evidence(f"{sysctl.ROOT}/net/ipv6", "this kernel has no IPv6: the folder is not there"),)
    if address.is_loopback and sysctl.number("net", "ipv6", "conf", "lo", "disable_ipv6"):
        return (Evidence("net.ipv6.conf.lo.disable_ipv6", "IPv6 is off for lo: nothing can listen or connect here"),)
    return ()


def _settings(
    address: IPAddress,
    owned: tuple[str, ...],
    route: Route,
    interfaces: Sequence[Interface],
    limits: dict[str, None],
) -> dict[str, str]:
    """The sysctls that change how this kernel treats the address, by their dotted names."""
    paths: list[tuple[str, ...]] = []
    target = destination(address)
    if target.version == 4 and target.is_loopback and not address.is_unspecified:
        paths.append(("net", "ipv4", "conf", "all", "route_localnet"))
        names = [one.name for one in interfaces if one.name != "lo"]
        if len(names) > MAX_INTERFACES:
            limits[f"route_localnet: read for {MAX_INTERFACES} of {len(names)} interfaces"] = None
        paths += [("net", "ipv4", "conf", name, "route_localnet") for name in names[:MAX_INTERFACES]]
    if target.version == 6:
        paths.append(("net", "ipv6", "conf", "all", "disable_ipv6"))
        paths += [("net", "ipv6", "conf", name, "disable_ipv6") for name in owned or _expected(target, route)]
        if address.is_unspecified:
            paths.append(("net", "ipv6", "bindv6only"))
    if not owned and not address.is_unspecified and route.kind not in (None, "local", "broadcast", "multicast"):
        paths.append(("net", f"ipv{target.version}", "ip_nonlocal_bind"))
    values = {".".join(path): sysctl.read(*path) for path in paths}
    return {name: value for name, value in values.items() if value is not None}


def _expected(target: IPAddress, route: Route) -> tuple[str, ...]:
    """The interface that an address which none has belongs to: that of loopback, or the one that leads to it."""
    if target.is_loopback:
        return ("lo",)
    return () if route.interface is None else (route.interface,)


def _port(port: int, limits: dict[str, None]) -> PortExplanation:
    registry = registries.service_registry()
    ephemeral = sysctl.pair("net", "ipv4", "ip_local_port_range")
    kept = sysctl.read("net", "ipv4", "ip_local_reserved_ports")
    start = sysctl.number("net", "ipv4", "ip_unprivileged_port_start")
    if ephemeral is None:
        limits["ports: this system does not tell which ones its kernel chooses, keeps free or protects"] = None
    reserved = None if kept is None else ports.in_ranges(kept, port)
    return PortExplanation(
        port=port,
        range=ports.range_of(port),
        services=ports.services(registry, port),
        registry_date=ports.registry_date(registry),
        habits=habits(port),
        ephemeral=ephemeral,
        in_ephemeral=None if ephemeral is None else ephemeral[0] <= port <= ephemeral[1],
        reserved=reserved,
        privileged=None if start is None else port < start,
        unprivileged_start=start,
        browser_refuses=port in ports.BAD_PORTS,
        notes=ports.ephemeral_notes(port, ephemeral, reserved),
    )
