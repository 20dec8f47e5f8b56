"""The rules of nftables out of `nft --json list ruleset` (libnftables-json(5)).

Sets and maps are put in where rules name them. A statement that is not understood becomes `Opaque`; only what is no
rule set of nft at all raises WireError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import product
from typing import Any, NamedTuple

from homeport.errors import WireError
from homeport.model.addresses import IPAddress
from homeport.model.firewall import (
    Action,
    Chain,
    Hook,
    Lookup,
    Match,
    Maybe,
    Opaque,
    Part,
    Reject,
    Rule,
    SetMark,
    Statement,
    Table,
    Translate,
    TranslateMap,
    Untrack,
    Verdict,
    VerdictMap,
)
from homeport.wire.nft_text import answer_text, expression_text, rule_text, statement_text

SOURCE = "nft list ruleset"
_ALL = (0, (1 << 128) - 1)
_MOST_ITEMS = 1 << 17
_WORD = (1 << 32) - 1  # a packet's mark is 32 bits wide
_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
_PROTOCOL_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}
_HARMLESS = frozenset(
    ("counter", "log", "ct helper", "ct timeout", "ct expectation", "flow", "secmark", "last", "reset", "dup")
)
_CHANCE = frozenset(("limit", "quota", "ct count", "meter"))
_VERDICTS = frozenset(("accept", "drop", "continue", "return"))
_STEERED = frozenset(("saddr", "daddr", "sport", "dport"))
_COUNTED = _STEERED | {"proto-src", "proto-dst"}
_DEVICE = re.compile(r'\bdevice "([^"]*)"')
_DEVICES = re.compile(r"\bdevices = \{([^}]*)\}")
_COMPARED = frozenset(("<", ">", "<=", ">="))

Items = tuple[tuple[Part, ...], ...]
_Raw = dict[str, Any]


class Parsed(NamedTuple):
    """The tables; `hidden`: family and name of those with rules of iptables that nft cannot spell out (`xt`)."""

    tables: tuple[Table, ...]
    hidden: frozenset[tuple[str, str]]


class _NotUnderstood(Exception):
    """An expression that this module does not read; the statement becomes opaque."""


def parse(text: str | bytes) -> Parsed:
    """The rule set in the JSON of nft. Raises WireError for anything else."""
    import json

    try:
        top = json.loads(text)
        if not isinstance(top, dict) or not isinstance(top.get("nftables"), list):
            raise WireError("no rule set of nft")
        return _Reader([one for one in top["nftables"] if isinstance(one, dict)]).read()
    except (ValueError, RecursionError) as error:
        raise WireError("no JSON of nft") from error


def devices(text: str) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """The interfaces that chains are bound to, by family, table and chain, out of `nft list chains`.

    nft 1.0.6 does not tell them in JSON.
    """
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    family = table = chain = ""
    for line in text.split("\n"):
        words = line.split()
        if words[:1] == ["table"] and len(words) > 2:
            family, table = words[1:3]
        elif words[:1] == ["chain"] and len(words) > 1:
            chain = words[1]
        elif words[:1] == ["type"]:
            one, several = _DEVICE.search(line), _DEVICES.search(line)
            if several is not None:
                found[family, table, chain] = tuple(several[1].replace('"', "").replace(",", " ").split())
            elif one is not None:
                found[family, table, chain] = (one[1],)
    return found


def bound(tables: Iterable[Table], to: dict[tuple[str, str, str], tuple[str, ...]]) -> tuple[Table, ...]:
    """The tables, with what `devices` found put in where nothing was told."""
    return tuple(
        table._replace(
            chains=tuple(
                one._replace(devices=to.get((table.family, table.name, one.name))) if is_unbound(one) else one
                for one in table.chains
            )
        )
        for table in tables
    )


def is_unbound(chain: Chain) -> bool:
    """Whether a chain is one of interfaces, without it being told which."""
    return chain.devices is None and chain.hook in (Hook.INGRESS, Hook.EGRESS)


class _Reader:
    """Reads the objects of one rule set."""

    def __init__(self, objects: list[_Raw]) -> None:
        self._tables: dict[tuple[str, str], _Raw] = {}
        self._chains: dict[tuple[str, str], dict[str, _Raw]] = {}
        self._rules: dict[tuple[str, str, str], list[_Raw]] = {}
        self._sets: dict[tuple[str, str, str], _Raw] = {}
        self._hidden: set[tuple[str, str]] = set()
        for one in objects:
            self._sort(one)

    def read(self) -> Parsed:
        """Every table with its chains."""
        tables = []
        for key, raw in self._tables.items():
            asleep = "dormant" in _texts(raw.get("flags"))
            chains = tuple(self._chain(key, one, asleep) for one in self._chains.get(key, {}).values())
            tables.append(Table(*key, SOURCE, chains))
        return Parsed(tuple(tables), frozenset(self._hidden))

    def _sort(self, one: _Raw) -> None:
        kind, value = next(iter(one.items()), ("", None))
        if not isinstance(value, dict):
            return
        family = str(value.get("family"))
        if kind == "table":
            self._tables[family, str(value.get("name"))] = value
            return
        key = family, str(value.get("table"))
        if kind in ("chain", "rule", "set", "map"):
            self._tables.setdefault(key, {})
        if kind == "chain":
            self._chains.setdefault(key, {})[str(value.get("name"))] = value
        elif kind == "rule":
            chain = str(value.get("chain"))
            self._chains.setdefault(key, {}).setdefault(chain, {"name": chain})
            self._rules.setdefault((*key, chain), []).append(value)
        elif kind in ("set", "map"):
            self._sets[(*key, str(value.get("name")))] = value

    def _chain(self, key: tuple[str, str], raw: _Raw, asleep: bool) -> Chain:
        name = str(raw.get("name"))
        hook = raw.get("hook")
        known = not asleep and isinstance(hook, str) and hook in Hook._value2member_map_
        priority, policy = raw.get("prio"), raw.get("policy", "accept")
        rules = self._rules.get((*key, name), [])
        return Chain(
            name=name,
            kind=str(raw.get("type")) if hook is not None else None,
            hook=Hook(str(hook)) if known else None,
            priority=priority if isinstance(priority, int) else 0,
            policy=Action.DROP if policy == "drop" else Action.ACCEPT if policy == "accept" else Action.UNKNOWN,
            devices=tuple(_texts(raw["dev"])) if "dev" in raw else None,
            rules=tuple(self._rule(key, one, number) for number, one in enumerate(rules, 1)),
        )

    def _rule(self, key: tuple[str, str], raw: _Raw, number: int) -> Rule:
        expressions = raw.get("expr")
        handle = raw.get("handle")
        statements: list[Statement] = []
        for one in expressions if isinstance(expressions, list) else ({"rule": None},):
            if isinstance(one, dict):
                statements += self._statement(key, one)
            else:  # what this nft cannot put into JSON it writes in its own words: chains without names
                statements.append(Opaque(" ".join(str(one).split())[:200]))
        handle = handle if isinstance(handle, int) else None
        return Rule(rule_text({**raw, "expr": expressions if isinstance(expressions, list) else []}), handle, number,
                    tuple(statements))  # fmt: skip

    def _statement(self, key: tuple[str, str], raw: _Raw) -> Iterator[Statement]:
        kind, value = next(iter(raw.items()), ("", None))
        text = statement_text(raw)
        if kind in _HARMLESS:
            return
        if kind in _VERDICTS:
            yield Verdict(kind)
        elif kind in ("jump", "goto") and isinstance(value, dict):
            yield Verdict(kind, str(value.get("target")))
        elif kind == "reject":
            yield Reject(answer_text(value))
        elif kind in _CHANCE:
            yield Maybe(text)
        elif kind == "notrack":
            yield Untrack()
        elif kind == "mangle" and isinstance(value, dict):
            yield from _mangle(value, text)
        elif kind == "set" and isinstance(value, dict):
            inner = value.get("stmt")
            inner = inner if isinstance(inner, list) else []
            if any(not _HARMLESS.issuperset(one if isinstance(one, dict) else "?") for one in inner):
                yield Maybe(text)
        elif kind == "xt":
            if not isinstance(value, dict) or value.get("name") != "comment":
                self._hidden.add(key)
                yield Maybe(text) if isinstance(value, dict) and value.get("type") == "match" else Opaque(text)
        else:
            try:
                yield self._evaluated(key, kind, value, text)
            except _NotUnderstood:
                yield Maybe(text) if kind == "match" else Opaque(text)

    def _evaluated(self, key: tuple[str, str], kind: str, value: object, text: str) -> Statement:
        if kind == "match" and isinstance(value, dict):
            return self._match(key, value, text)
        if kind == "vmap" and isinstance(value, dict):
            fields = _fields(value.get("key"))
            pairs = list(self._pairs(key, value.get("data"), fields))
            verdicts = tuple(_verdict(one) for _, one in pairs)
            return VerdictMap(Lookup(fields, tuple(item for item, _ in pairs)), verdicts, text)
        if kind in ("dnat", "snat", "redirect", "masquerade"):
            return self._translation(key, kind, value if isinstance(value, dict) else {}, text)
        raise _NotUnderstood

    def _match(self, key: tuple[str, str], match: _Raw, text: str) -> Match:
        left, right, sign = match.get("left"), match.get("right"), match.get("op", "==")
        mask: int | None = None
        if isinstance(left, dict) and isinstance(left.get("&"), list) and len(left["&"]) == 2:
            left, raw_mask = left["&"]
            mask = _bits(raw_mask)
        fields = _fields(left)
        if sign in _COMPARED:
            return Match(Lookup(fields, _compared(str(sign), _span(right, fields[0])), mask), False, text)
        if mask is not None:
            value = _bits(right)
            return Match(Lookup(fields, (((value, value),),), mask), sign != "==", text)
        if fields == ("tcp flags",) and sign == "in":
            return Match(Lookup(fields, (((0, 0),),), _bits(right)), True, text)
        if "ct status" in fields and sign != "in":  # all of its bits are compared, of which most are not known
            raise _NotUnderstood
        if sign not in ("==", "!=", "in", "!"):
            raise _NotUnderstood
        return Match(Lookup(fields, self._items(key, right, fields)), sign in ("!=", "!"), text)

    def _translation(self, key: tuple[str, str], kind: str, value: _Raw, text: str) -> Translate | TranslateMap:
        family = value.get("family")
        family = family if family in ("ip", "ip6") else None
        address, port = value.get("addr"), value.get("port")
        mapped = next((one["map"] for one in (address, port) if isinstance(one, dict) and "map" in one), None)
        if mapped is None:
            return Translate(kind, _pool(address), _ports(port), text, family)
        if not isinstance(mapped, dict):
            raise _NotUnderstood
        fields = _fields(mapped.get("key"))
        pairs = list(self._pairs(key, mapped.get("data"), fields))
        by_port = isinstance(port, dict) and "map" in port
        found = []
        for _, to in pairs:
            parts = to["concat"] if isinstance(to, dict) and isinstance(to.get("concat"), list) else [to]
            if by_port:
                found.append(Translate(kind, _pool(address), _ports(parts[0]), text, family))
            else:
                ports = _ports(parts[1]) if len(parts) > 1 else _ports(port)
                found.append(Translate(kind, _pool(parts[0]), ports, text, family))
        return TranslateMap(Lookup(fields, tuple(item for item, _ in pairs)), tuple(found), text)

    def _pairs(
        self, key: tuple[str, str], data: object, fields: tuple[str, ...]
    ) -> Iterator[tuple[tuple[Part, ...], Any]]:
        for one in self._elements(key, data):
            if not isinstance(one, list) or len(one) != 2:
                raise _NotUnderstood
            for item in _item(one[0], fields):
                yield item, one[1]

    def _items(self, key: tuple[str, str], right: object, fields: tuple[str, ...]) -> Items:
        found: list[tuple[Part, ...]] = []
        for one in self._elements(key, right):
            found += _item(one, fields)
            if len(found) > _MOST_ITEMS:
                raise _NotUnderstood
        return tuple(found)

    def _elements(self, key: tuple[str, str], value: object) -> Iterable[object]:
        """The alternatives of a right side: one, those of a list or an anonymous set, or of a named one."""
        if isinstance(value, str) and value.startswith("@"):
            named = self._sets.get((*key, value[1:]))
            if named is None:
                raise _NotUnderstood
            value = named.get("elem", [])
            return value if isinstance(value, list) else [value]
        if isinstance(value, dict) and isinstance(value.get("set"), list | str | int | dict):
            inner = value["set"]
            return inner if isinstance(inner, list) else [inner]
        return value if isinstance(value, list) else [value]


def _fields(expression: object) -> tuple[str, ...]:
    """Names of the fields on a left side, as the model has them."""
    if isinstance(expression, dict) and isinstance(expression.get("concat"), list):
        return tuple(name for one in expression["concat"] for name in _fields(one))
    if not isinstance(expression, dict) or len(expression) != 1:
        raise _NotUnderstood
    text = expression_text(expression)
    return (text.removeprefix("meta "),)


def _item(value: object, fields: tuple[str, ...]) -> list[tuple[Part, ...]]:
    """One element as alternatives: `{"concat": […]}` may hold sets in its parts."""
    if isinstance(value, dict) and isinstance(value.get("elem"), dict):
        return _item(value["elem"].get("val"), fields)
    if value == "*":
        return [tuple(_ALL if _is_number(one) else "*" for one in fields)]
    if len(fields) == 1:
        return [(one,) for one in _parts(value, fields[0])]
    parts = value.get("concat") if isinstance(value, dict) else None
    if not isinstance(parts, list) or len(parts) != len(fields):
        raise _NotUnderstood
    return list(product(*(_parts(one, field) for one, field in zip(parts, fields, strict=True))))


def _parts(value: object, field: str) -> list[Part]:
    if isinstance(value, dict) and isinstance(value.get("set"), list):
        return [part for one in value["set"] for part in _parts(one, field)]
    if isinstance(value, bool):
        return ["exists" if value else "missing"]
    if _is_number(field):
        return [_span(value, field)]
    if isinstance(value, int):
        return [_PROTOCOL_NAMES.get(value, str(value)) if field in _PROTOCOL_FIELDS else str(value)]
    if isinstance(value, str):
        return [value]
    raise _NotUnderstood


_ADDRESSES = {"ip": IPv4Address, "ip6": IPv6Address}
_PROTOCOL_FIELDS = frozenset(("l4proto", "ip protocol", "ip6 nexthdr"))
_NUMBERS = frozenset(("mark", "ct mark", "skuid", "skgid", "tcp flags", "ip version", "ip6 version"))


def _is_number(field: str) -> bool:
    """Whether a field is compared as a number: addresses and ports are."""
    last = field.rpartition(" ")[2]
    return field in _NUMBERS or (last in _COUNTED and not field.startswith("ether"))


def _span(value: object, field: str) -> tuple[int, int]:
    """A number, an address, a prefix or a range as a span."""
    if isinstance(value, dict) and isinstance(value.get("range"), list) and len(value["range"]) == 2:
        low, high = (_span(one, field) for one in value["range"])
        if low[0] > high[1]:
            raise _NotUnderstood
        return low[0], high[1]
    if isinstance(value, dict) and isinstance(value.get("prefix"), dict):
        inner = value["prefix"]
        try:
            network = ip_network(f"{inner.get('addr')}/{inner.get('len')}", strict=False)
        except ValueError:
            raise _NotUnderstood from None
        return int(network.network_address), int(network.broadcast_address)
    if isinstance(value, bool):
        raise _NotUnderstood
    if isinstance(value, int) and value >= 0:
        return value, value
    if field == "tcp flags":
        found = _bits(value)
        return found, found
    if not isinstance(value, str):
        raise _NotUnderstood
    if field.endswith("addr"):
        number = int(_address(value))
        return number, number
    if value.isascii() and value.isdigit() and len(value) < 20:
        return int(value), int(value)
    raise _NotUnderstood


def _address(text: str) -> IPAddress:
    try:
        return IPv6Address(text) if ":" in text else IPv4Address(text)
    except ValueError:
        raise _NotUnderstood from None


def _bits(value: object) -> int:
    """Flags, alone, in a list or joined with `|`, or a number."""
    if isinstance(value, dict) and isinstance(value.get("|"), list):
        value = value["|"]
    found = 0
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            found |= _bits(one)
        elif isinstance(one, int) and not isinstance(one, bool):
            found |= one
        elif isinstance(one, str) and one in _FLAGS:
            found |= _FLAGS[one]
        else:
            raise _NotUnderstood
    return found


def _compared(sign: str, span: tuple[int, int]) -> Items:
    low, high = span
    if low != high:
        raise _NotUnderstood
    ends = {"<": (0, low - 1), "<=": (0, low), ">": (low + 1, _ALL[1]), ">=": (low, _ALL[1])}[sign]
    return ((ends,),) if ends[0] <= ends[1] else ()


def _verdict(value: object) -> Verdict:
    kind, target = next(iter(value.items()), ("", None)) if isinstance(value, dict) else ("", None)
    if kind in _VERDICTS:
        return Verdict(kind)
    if kind in ("jump", "goto") and isinstance(target, dict):
        return Verdict(kind, str(target.get("target")))
    raise _NotUnderstood


def _pool(value: object) -> tuple[IPAddress, IPAddress] | None:
    if value is None:
        return None
    if isinstance(value, str):
        address = _address(value)
        return address, address
    if isinstance(value, dict) and isinstance(value.get("range"), list) and len(value["range"]) == 2:
        low, high = (_address(one) if isinstance(one, str) else _refuse() for one in value["range"])
        return low, high
    if isinstance(value, dict) and "prefix" in value:
        low_number, high_number = _span(value, "ip daddr")
        kind: Callable[[int], IPAddress] = IPv6Address if high_number >> 32 else IPv4Address
        return kind(low_number), kind(high_number)
    raise _NotUnderstood


def _refuse() -> IPAddress:
    raise _NotUnderstood


def _ports(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    low, high = _span(value, "th dport")
    if high > 65535:
        raise _NotUnderstood
    return low, high


def _mangle(value: _Raw, text: str) -> Iterator[Statement]:
    """Only a packet's mark, and what stateless NAT changes, matter to where a packet comes."""
    key = value.get("key")
    try:
        field = _fields(key)[0]
    except _NotUnderstood:
        field = ""
    if field == "mark":
        yield _mark(value.get("value"))
    elif field.rpartition(" ")[2] in _STEERED:
        yield Opaque(text)


def _mark(value: object) -> SetMark:
    """`mark set`: a number, or the mark with bits kept and flipped."""
    if isinstance(value, int) and not isinstance(value, bool):
        return SetMark(0, value & _WORD)
    if value == {"meta": {"key": "mark"}}:
        return SetMark(_WORD, 0)
    kind, pair = next(iter(value.items()), ("", None)) if isinstance(value, dict) else ("", None)
    if kind in ("&", "|", "^") and isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], int):
        inner, bits = _mark(pair[0]), pair[1] & _WORD
        if inner.keep is not None and inner.flip is not None:
            if kind == "&":
                return SetMark(inner.keep & bits, inner.flip & bits)
            if kind == "|":
                return SetMark(inner.keep & ~bits, (inner.flip & ~bits) | bits)
            return SetMark(inner.keep, inner.flip ^ bits)
    return SetMark(None, None)


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
