"""The ports that rules of a rule set lead to a listener: where to look for it besides its own address.

Only candidates: whether a packet comes to a rule, and what becomes of it, is judged by following it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from homeport.model.addresses import IPAddress
from homeport.model.evidence import Evidence
from homeport.model.firewall import Lookup, Match, Part, Rule, Ruleset, Translate, TranslateMap

_MOST_PORTS = 16
_MOST_OF_A_SPAN = 4
_MOST_ADDRESSES = 256
_DESTINATION_NAT = frozenset(("dnat", "redirect"))


class Leading(NamedTuple):
    """A rule that leads a port (of `address`, None: of any) on; `evidence` has the rule."""

    address: IPAddress | None
    port: int
    evidence: Evidence


def leading(ruleset: Ruleset, leads_here: Callable[[IPAddress | None], bool], port: int) -> Iterator[Leading]:
    """Every rule that translates to `port` at an address for which `leads_here` holds; None: the address is kept."""
    for table in ruleset.tables:
        for chain in table.chains:
            for rule in chain.rules:
                source = f"{table.source}: {table.family} {table.name} {chain.name}"
                for found in _of_rule(rule, leads_here, port):
                    yield found._replace(evidence=Evidence(source, rule.text))


def _of_rule(rule: Rule, leads_here: Callable[[IPAddress | None], bool], port: int) -> Iterator[Leading]:
    nothing = Evidence("", "")
    for statement in rule.statements:
        if isinstance(statement, Translate) and _fits(statement, leads_here, port):
            address = next(_addresses(rule), None)
            for asked in _asked(rule, statement, port):
                yield Leading(address, asked, nothing)
        elif isinstance(statement, TranslateMap):
            for item, one in zip(statement.lookup.items, statement.translations, strict=True):
                if _fits(one, leads_here, port):
                    yield from _of_item(statement.lookup, item, port, one.ports is not None)


def _fits(one: Translate, leads_here: Callable[[IPAddress | None], bool], port: int) -> bool:
    if one.kind not in _DESTINATION_NAT or (one.ports is not None and not one.ports[0] <= port <= one.ports[1]):
        return False
    if one.addresses is None:
        return leads_here(None)
    low, high = (int(each) for each in one.addresses)
    some = range(low, min(high, low + _MOST_ADDRESSES) + 1)
    return any(leads_here(type(one.addresses[0])(number)) for number in some)


def _asked(rule: Rule, one: Translate, port: int) -> Iterator[int]:
    """The ports that clients ask for to get to `port`; where any of a span may, the first ones."""
    for low, high in _spans(rule):
        if one.ports is None or (low <= port <= high and one.ports[0] < one.ports[1] and one.base is None):
            if low <= port <= high:
                yield port
        elif one.base is not None:
            asked = one.base + port - one.ports[0]
            if low <= asked <= high:
                yield asked
        else:
            yield from range(low, min(high, low + _MOST_OF_A_SPAN - 1) + 1)


def _spans(rule: Rule) -> Iterator[tuple[int, int]]:
    for one in rule.statements:
        if not isinstance(one, Match) or one.negated or len(one.lookup.fields) != 1:
            continue
        if one.lookup.fields[0].endswith(" dport"):
            yield from (part for (part,) in one.lookup.items[:_MOST_PORTS] if not isinstance(part, str))


def _addresses(rule: Rule) -> Iterator[IPAddress]:
    for one in rule.statements:
        if isinstance(one, Match) and not one.negated and one.lookup.fields in (("ip daddr",), ("ip6 daddr",)):
            for (part,) in one.lookup.items:
                if (address := _address(one.lookup.fields[0], part)) is not None:
                    yield address


def _address(field: str, part: Part) -> IPAddress | None:
    """The address of a span of one."""
    if isinstance(part, str) or part[0] != part[1]:
        return None
    return IPv4Address(part[0]) if field.startswith("ip ") else IPv6Address(part[0])


def _of_item(lookup: Lookup, item: tuple[Part, ...], port: int, translates_port: bool) -> Iterator[Leading]:
    """A key of a map: the port asked for, and perhaps the address."""
    address, asked = None, None if translates_port else port
    for field, part in zip(lookup.fields, item, strict=True):
        if field.endswith(" daddr"):
            address = _address(field, part)
        elif field.endswith(" dport") and not isinstance(part, str):
            asked = part[0]
    if asked is not None:
        yield Leading(address, asked, Evidence("", ""))
