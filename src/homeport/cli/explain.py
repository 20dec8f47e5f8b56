"""Text of `homeport explain`: first the address, then the port; on paper, then on this machine."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from homeport.cli.sheet import Sheet
from homeport.cli.text import Paint
from homeport.model.addresses import Scope
from homeport.model.explanation import (
    AddressExplanation,
    Block,
    Explanation,
    PortExplanation,
    PortRange,
    Resolution,
    Route,
)
from homeport.rules.addresses import spelled

_MEANINGS = {
    Scope.MACHINE: "loopback, this machine only",
    Scope.LINK: "link-local, the neighbours on one link",
    Scope.PRIVATE: "not routed on the internet",
    Scope.PUBLIC: "public, reachable on the internet where it is routed",
    Scope.MULTICAST: "multicast, a group of hosts",
    Scope.EVERY: "unspecified: every address of this machine",
}
_RANGES = {
    PortRange.SYSTEM: "a System Port, 0-1023: assigned by IETF review (RFC 6335 §6)",
    PortRange.USER: "a User Port, 1024-49151: assigned by IANA on application (RFC 6335 §6)",
    PortRange.DYNAMIC: "a Dynamic Port, 49152-65535: never assigned, for temporary use (RFC 6335 §6)",
}
_KINDS = {
    "local": "delivered to this machine",
    "unicast": "sent",
    "broadcast": "sent to everybody on the link",
    "multicast": "sent to a group",
    "anycast": "delivered to this machine, as one of several",
}
_LOCALNET = ".route_localnet"
_BOOLEANS = {True: "yes", False: "no", None: "n/a"}


def lines(explanation: Explanation, paint: Paint, columns: int | None = None) -> list[str]:
    """The page, wrapped for a terminal of so many `columns`; with None a fact a line."""
    sheet = Sheet(paint, columns)
    port_alone = explanation.name is None and explanation.endpoint.address is None
    sheet.title(_head(explanation), _meaning(explanation))
    sheet.many("note", explanation.notes, "yellow")
    if not port_alone:
        resolutions = list(dict.fromkeys(each for one in explanation.addresses for each in one.resolutions))
        if explanation.name is not None:
            sheet.gap()
            _resolutions(sheet, resolutions)
        for one in explanation.addresses:
            sheet.gap()
            _address(sheet, one)
            if explanation.name is None:
                _resolutions(sheet, resolutions)
    if explanation.port is not None:
        sheet.gap()
        _port(sheet, explanation.port)
        if port_alone:
            _resolutions(sheet, [each for one in explanation.addresses[:1] for each in one.resolutions])
    sheet.gap()
    sheet.many("next", _next(explanation), "bold")
    for limit in explanation.limits:
        sheet.add("note", limit, "dim")
    return sheet.lines


def _head(explanation: Explanation) -> str:
    endpoint = explanation.endpoint
    place = explanation.name or ""
    if endpoint.address is not None:
        place = spelled(endpoint.address)
        if endpoint.port is not None and endpoint.address.version == 6:
            place = f"[{place}]"
    if endpoint.port is not None:
        place += f":{endpoint.port}"
    return place if endpoint.protocol is None else f"{place}/{endpoint.protocol.value}"


def _meaning(explanation: Explanation) -> str:
    words: list[str] = []
    if explanation.name is not None or explanation.endpoint.address is not None:
        words += dict.fromkeys(_MEANINGS[one.scope] for one in explanation.addresses)
    port = explanation.port
    if port is not None and port.habits:
        words.append(port.habits[0].program)
    elif port is not None and port.services:
        words.append(port.services[0].name)
    return " · ".join(words)


def _resolutions(sheet: Sheet, resolutions: list[Resolution]) -> None:
    """What a name gives here, in the order in which a client tries it."""
    if not resolutions:
        return
    several = len(resolutions) > 1
    sheet.many(
        resolutions[0].name if len(resolutions[0].name) < 14 else "name",
        (
            f"{number}. {spelled(one.address)}   by {one.source}"
            if several
            else f"{spelled(one.address)}   by {one.source}"
            for number, one in enumerate(resolutions, 1)
        ),
    )


def _address(sheet: Sheet, one: AddressExplanation) -> None:
    sheet.add("address", spelled(one.address), "bold")
    if not one.blocks:
        sheet.add("on paper", _ordinary(one))
    for block in one.blocks:
        sheet.add("block", _block(block))
        sheet.add("", _flags(block), "dim")
        if block.footnote is not None:
            sheet.add("", block.footnote, "dim")
    sheet.many("rules", one.notes)
    sheet.many("here", _here(one))


def _ordinary(one: AddressExplanation) -> str:
    if one.scope is Scope.MULTICAST:
        return "not in the special-purpose registries: multicast has registries of its own (RFC 5771, RFC 4291 §2.7)"
    return f"an ordinary {one.family.value.replace('ipv', 'IPv')} address: in no special-purpose registry (RFC 6890)"


def _block(block: Block) -> str:
    dates = f"since {block.allocated}" if block.terminated is None else f"{block.allocated} to {block.terminated}"
    return f"{block.network}, {block.name} ({', '.join(block.references)}; {dates})"


def _flags(block: Block) -> str:
    flags = (
        ("source", block.source),
        ("destination", block.destination),
        ("forwardable", block.forwardable),
        ("globally reachable", block.globally_reachable),
        ("reserved by protocol", block.reserved_by_protocol),
    )
    return ", ".join(f"{name} {_BOOLEANS[value]}" for name, value in flags)


def _here(one: AddressExplanation) -> Iterator[str]:
    """What this machine does with the address."""
    if one.interfaces:
        yield f"an address of {', '.join(one.interfaces)}"
    yield from (f"{each.text} ({each.source})" for each in one.here)
    yield from (_route(each) for each in one.routes)
    yield from _settings(one.settings)


def _route(route: Route) -> str:
    to = f"a packet to {route.destination}"
    if route.error is not None:
        return f"{to} is refused by the kernel: {route.error}"
    text = f"{to} is {_KINDS.get(route.kind or '', f'routed ({route.kind})' if route.kind else 'routed')}"
    if route.interface is not None:
        text += f" by {route.interface}"
    if route.gateway is not None:
        text += f", through {route.gateway}"
    return text if route.source is None else f"{text}, from {route.source}"


def _settings(settings: dict[str, str]) -> Iterator[str]:
    """The values that matter, in words; those that only say what is usual are left to --json."""
    localnet = {name: value for name, value in settings.items() if name.endswith(_LOCALNET)}
    open_ones = [name for name, value in localnet.items() if value != "0"]
    if localnet and not open_ones:
        yield "no network leads to it: route_localnet is 0 for every interface"
    for name in open_ones:
        interface = name.removeprefix("net.ipv4.conf.").removesuffix(_LOCALNET)
        by = "every interface" if interface == "all" else interface
        yield f"packets for loopback may come in by {by}: {name} = {settings[name]}"
    for name, value in settings.items():
        on = value != "0"
        if name.endswith(".disable_ipv6") and on:
            yield f"IPv6 is off: {name} = {value}"
        elif name.endswith(".ip_nonlocal_bind"):
            can = "may listen at it all the same" if on else "cannot listen at it, but with IP_FREEBIND (ip(7))"
            yield f"programs here {can}: {name} = {value}"
        elif name.endswith(".bindv6only"):
            takes = "IPv6 only" if on else "IPv4 too"
            yield f"a server at :: takes {takes}, unless it says otherwise: {name} = {value}"


def _port(sheet: Sheet, port: PortExplanation) -> None:
    sheet.add("port", str(port.port), "bold")
    sheet.add("range", _RANGES[port.range])
    sheet.many("registered", _services(port))
    sheet.many("tools", (f"{one.program}: {one.what}" for one in port.habits))
    sheet.many("here", _port_here(port))
    if port.browser_refuses:
        sheet.add("browsers", "refuse it: a bad port of the Fetch standard (ERR_UNSAFE_PORT)", "yellow")
    else:
        sheet.add("browsers", "connect to it: not among the bad ports of the Fetch standard")


def _services(port: PortExplanation) -> Iterator[str]:
    """A line for each name, with its protocols."""
    protocols: dict[tuple[str, str | None], list[str]] = {}
    for one in port.services:
        protocols.setdefault((one.name, one.description), []).append(one.protocol)
    texts = [f"{name}/{','.join(some)}" + (f": {what}" if what else "") for (name, what), some in protocols.items()]
    *others, last = texts or ["for nothing"]
    yield from others
    yield f"{last} (IANA registry of {port.registry_date.isoformat()})"


def _port_here(port: PortExplanation) -> Iterator[str]:
    if port.privileged is not None:
        start = f"net.ipv4.ip_unprivileged_port_start = {port.unprivileged_start}"
        who = "only root, or CAP_NET_BIND_SERVICE, may listen there" if port.privileged else "any user may listen there"
        yield f"{who}: {start}"
    if port.reserved:
        yield "the kernel gives it to nobody who does not ask for it: net.ipv4.ip_local_reserved_ports"
    yield from port.notes


def _next(explanation: Explanation) -> Iterator[str]:
    asked = shlex.quote(explanation.asked)
    endpoint = explanation.endpoint
    if endpoint.port is not None:
        yield f"homeport {asked}"
        if endpoint.address is not None or explanation.name is not None:
            yield f"homeport :{endpoint.port}"
    elif endpoint.address is not None:
        yield f"homeport {asked}"
    else:
        yield "homeport"
