"""Destination NAT out of a rule set: `nft -j list ruleset` (libnftables-json(5)) and `iptables-save` (iptables(8)).

Only rules that a packet can come to are read: from the base chains of the hooks prerouting and output, by jump and
goto. What else a packet must fulfil on the way (an interface, a sender) is kept as a condition in the rule's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple, TypeVar

from homeport.errors import WireError
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.publishing import Forward
from homeport.wire.iptables_rules import words as split_words

_DEEPEST = 16  # NFT_JUMP_STACK_SIZE, include/net/netfilter/nf_tables.h
_MOST_STEPS = 200_000
_HEX = frozenset("0123456789abcdef")
_PROTOCOLS = {"tcp": Protocol.TCP, "udp": Protocol.UDP}

S = TypeVar("S")
Ports = tuple[tuple[int, int], ...]


class _Where(NamedTuple):
    """What a packet is known to be at some place of the rules; None: anything."""

    protocols: frozenset[Protocol] | None = None
    addresses: frozenset[IPAddress] | None = None
    ports: Ports | None = None
    conditions: tuple[str, ...] = ()
    container_id: str | None = None

    def narrowed(self, by: _Where) -> _Where | None:
        """Both at once; None where nothing can be both."""
        protocols = _both(self.protocols, by.protocols)
        addresses = _both(self.addresses, by.addresses)
        ports = self.ports if by.ports is None else by.ports
        if self.ports is not None and by.ports is not None:
            pairs = [(max(a[0], b[0]), min(a[1], b[1])) for a in self.ports[:64] for b in by.ports[:64]]
            ports = tuple(dict.fromkeys(pair for pair in pairs if pair[0] <= pair[1]))
        if protocols == frozenset() or addresses == frozenset() or ports == ():
            return None
        conditions = tuple(dict.fromkeys(self.conditions + by.conditions))
        return _Where(protocols, addresses, ports, conditions, by.container_id or self.container_id)


def _both(one: frozenset[S] | None, other: frozenset[S] | None) -> frozenset[S] | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other


class _Target(NamedTuple):
    """Where a rule leads. `port`: None for the port that was asked. `spread`: it may be any of several."""

    address: IPAddress | None
    port: int | None = None
    shifts: bool = False
    spread: bool = False


class _Rule(NamedTuple):
    """A rule; `where` None: no packet can fulfil it."""

    where: _Where | None
    goes_to: str | None
    target: _Target | None
    text: str


class Rules(NamedTuple):
    """What was read. `opaque`: nft met rules of iptables that it cannot spell out: ask `iptables-save` too."""

    forwards: tuple[Forward, ...]
    opaque: bool


def nft(text: str | bytes) -> Rules:
    """The forwards in the JSON of `nft -j list ruleset`. Raises WireError for anything else."""
    import json

    try:
        top = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("no JSON of nft") from error
    if not isinstance(top, dict) or not isinstance(top.get("nftables"), list):
        raise WireError("no rule set of nft")
    chains: dict[str, list[_Rule]] = {}
    starts: list[str] = []
    opaque = False
    for item in top["nftables"]:
        if not isinstance(item, dict):
            continue
        chain, rule = item.get("chain"), item.get("rule")
        if isinstance(chain, dict) and chain.get("type") == "nat" and chain.get("hook") in ("prerouting", "output"):
            starts.append(_chain_key(chain, "name"))
        if isinstance(rule, dict) and isinstance(rule.get("expr"), list):
            read, hidden = _nft_rule(rule)
            opaque = opaque or hidden
            chains.setdefault(_chain_key(rule, "chain"), []).append(read)
    return Rules(tuple(_walk(chains, starts, "nft list ruleset")), opaque)


def _chain_key(one: dict[str, Any], name: str) -> str:
    return f"{one.get('family')} {one.get('table')} {one.get(name)}"


def _nft_rule(rule: dict[str, Any]) -> tuple[_Rule, bool]:
    where: _Where | None = _Where()
    goes_to, target, hidden = None, None, False
    words = []
    for expression in rule["expr"]:
        if not isinstance(expression, dict):
            continue
        for kind, value in expression.items():
            if kind == "match" and isinstance(value, dict):
                step, word = _nft_match(value)
                where = where and where.narrowed(step)
                words.append(word)
            elif kind in ("jump", "goto") and isinstance(value, dict):
                goes_to = f"{rule.get('family')} {rule.get('table')} {value.get('target')}"
                words.append(f"{kind} {value.get('target')}")
            elif kind == "dnat" and isinstance(value, dict):
                target = _nft_target(value)
                words.append(f"dnat to {_shown(value.get('addr'))}:{_shown(value.get('port'))}")
            elif kind == "xt":
                hidden = hidden or not isinstance(value, dict) or value.get("name") == "DNAT"
    comment = rule.get("comment")
    if isinstance(comment, str) and where is not None:
        where = where._replace(container_id=_id_in(comment))
    text = f"{_chain_key(rule, 'chain')}: {' '.join(words)}"[:1000]
    return _Rule(where, goes_to, target, text), hidden


def _shown(value: object) -> str:
    import json

    try:
        return value if isinstance(value, str) else json.dumps(value)
    except RecursionError:  # hostile: nft nests three or four deep
        return "…"


def _nft_match(match: dict[str, Any]) -> tuple[_Where, str]:
    left, right, negated = match.get("left"), match.get("right"), match.get("op") not in ("==", "in", None)
    payload = left.get("payload") if isinstance(left, dict) else None
    field = payload.get("field") if isinstance(payload, dict) else None
    protocol = payload.get("protocol") if isinstance(payload, dict) else None
    meta = left.get("meta", {}) if isinstance(left, dict) else {}
    word = f"{_shown(protocol or 'meta')} {_shown(field or left)} {'!= ' if negated else ''}{_shown(right)}"
    items = list(_nft_items(right))
    if not negated:
        if field == "dport" and (ports := _ports(items)):
            named = _PROTOCOLS.get(str(protocol))
            return _Where(ports=ports, protocols=frozenset((named,)) if named else None), word
        if field == "daddr" and (addresses := _hosts(items)):
            return _Where(addresses=frozenset(addresses)), word
        if field in ("protocol", "nexthdr") or (isinstance(meta, dict) and meta.get("key") == "l4proto"):
            named_all = frozenset(_PROTOCOLS[str(item)] for item in items if str(item) in _PROTOCOLS)
            return _Where(protocols=named_all), word
        fib = left.get("fib") if isinstance(left, dict) else None
        if isinstance(fib, dict) and fib.get("result") == "type" and right == "local":
            return _Where(), "fib daddr type local"
    return _Where(conditions=(word[:200],)), word


def _nft_items(right: object) -> Iterator[object]:
    """The values of a right side: one, or those of an anonymous set, unwrapped."""
    if isinstance(right, dict) and isinstance(right.get("set"), list):
        for one in right["set"][:4096]:
            elem = one.get("elem") if isinstance(one, dict) else None
            yield elem.get("val") if isinstance(elem, dict) else one
    else:
        yield right


def _ports(items: Iterable[object]) -> Ports | None:
    found = []
    for item in items:
        ends = item.get("range") if isinstance(item, dict) else [item, item]
        if not isinstance(ends, list) or len(ends) != 2 or not all(_is_port(end) for end in ends) or ends[0] > ends[1]:
            return None
        found.append((ends[0], ends[1]))
    return tuple(found)


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65_536


def _hosts(items: Iterable[object]) -> tuple[IPAddress, ...] | None:
    """Addresses of hosts; None where one is a network, which no listener has."""
    found = []
    for item in items:
        try:
            found.append(ip_address(item if isinstance(item, str) else ""))
        except ValueError:
            return None
    return tuple(found)


def _nft_target(value: dict[str, Any]) -> _Target:
    try:
        address: IPAddress | None = ip_address(str(value.get("addr")))
    except ValueError:  # a map, or a set of several
        address = None
    if "port" not in value:
        return _Target(address)
    ports = _ports([value["port"]])
    if not ports or ports[0][0] != ports[0][1]:
        return _Target(address, spread=True)
    return _Target(address, ports[0][0])


def iptables(text: str) -> tuple[Forward, ...]:
    """The forwards in the table `nat` of the output of `iptables-save` or `ip6tables-save`."""
    chains: dict[str, list[_Rule]] = {}
    inside = False
    for line in text.split("\n"):
        if line.startswith("*"):
            inside = line.strip() == "*nat"
        elif inside and line.startswith("-A "):
            words = split_words(line)
            if len(words) > 2:
                chains.setdefault(words[1], []).append(_iptables_rule(words[2:], line))
    return tuple(_walk(chains, ["PREROUTING", "OUTPUT"], "iptables-save -t nat"))


_FLAGS = frozenset(("--physdev-is-bridged", "--rsource", "--rdest", "--random", "--random-fully", "--persistent"))


def _iptables_rule(words: list[str], line: str) -> _Rule:
    where: _Where | None = _Where()
    goes_to, target, negated = None, None, ""
    rest = iter(words)
    for option in rest:
        if option == "!":
            negated = "! "
            continue
        value = "" if option in _FLAGS else next(rest, "")
        if option == "--to-destination":
            target = _iptables_target(value)
        elif option in ("-j", "-g"):
            goes_to = value
        elif not (option == "-m" or (option == "--dst-type" and value == "LOCAL" and not negated)):
            where = where and where.narrowed(_iptables_match(option, value, negated))
        negated = ""
    return _Rule(where, None if goes_to == "DNAT" else goes_to, target if goes_to == "DNAT" else None, line)


def _iptables_match(option: str, value: str, negated: str) -> _Where:
    if option == "--comment":
        return _Where(container_id=_id_in(value))
    if not negated:
        if option in ("-p", "--protocol"):
            return _Where(protocols=frozenset((_PROTOCOLS[value],) if value in _PROTOCOLS else ()))
        if option in ("--dport", "--dports") and (ports := _ports(_iptables_ports(value))):
            return _Where(ports=ports)
        if option in ("-d", "--destination"):
            try:
                network = ip_network(value, strict=False)
            except ValueError:
                return _Where(conditions=(f"{option} {value}",))
            if network.num_addresses == 1:
                return _Where(addresses=frozenset((network.network_address,)))
    return _Where(conditions=(f"{negated}{option} {value}"[:200],))


def _iptables_ports(text: str) -> Iterator[object]:
    for part in text.split(",")[:64]:
        first, found, last = part.partition(":")
        ends = [int(one) if one.isascii() and one.isdigit() and len(one) < 6 else one for one in (first, last or first)]
        yield {"range": ends} if found else ends[0]


def _iptables_target(text: str) -> _Target:
    """`10.88.0.2`, `10.88.0.2:80`, `[fd00::2]:80`; `10.88.0.3:80-82/8090` leads 8090 to 80, 8091 to 81 …"""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    try:
        address: IPAddress | None = ip_address(host)
    except ValueError:  # a range of addresses: a balancer
        address = None
    if not port:
        return _Target(address)
    ports, _, base = port.partition("/")
    first, several, _ = ports.partition("-")
    if not (first.isascii() and first.isdigit() and len(first) < 6 and _is_port(int(first))):
        return _Target(address, spread=True)
    return _Target(address, int(first), shifts=bool(base), spread=bool(several and not base))


def _id_in(comment: str) -> str | None:
    """The container's id in netavark's and CNI's comments: `dnat name: podman id: 9f86d0…`."""
    for word in comment.replace('"', " ").split():
        if len(word) == 64 and _HEX.issuperset(word):
            return word
    return None


def _walk(chains: dict[str, list[_Rule]], starts: Iterable[str], source: str) -> Iterator[Forward]:
    """Every DNAT rule that can be come to, once, with the fewest conditions under which that is so."""
    found: dict[tuple[object, ...], Forward] = {}
    stack = [(start, _Where(), 0) for start in starts]
    steps = 0
    while stack and steps < _MOST_STEPS:
        chain, where, depth = stack.pop()
        for rule in chains.get(chain, ()):
            steps += 1
            here = rule.where and where.narrowed(rule.where)
            if here is None:
                continue
            if rule.goes_to is not None and depth < _DEEPEST:
                stack.append((rule.goes_to, here, depth + 1))
            if rule.target is not None:
                for forward in _forwards(here, rule, rule.target, Evidence(source, rule.text)):
                    _add(found, forward)
    yield from found.values()


def _add(found: dict[tuple[object, ...], Forward], forward: Forward) -> None:
    key = forward[:7]
    known = found.get(key)
    if known is None:
        found[key] = forward
        return
    # Two ways to one rule, each of another container: the rule itself is of neither.
    same = known.container_id == forward.container_id
    fewest = min(known, forward, key=lambda one: len(one.conditions))
    found[key] = fewest if same else fewest._replace(container_id=None)


def _forwards(where: _Where, rule: _Rule, target: _Target, evidence: Evidence) -> Iterator[Forward]:
    """One forward for each protocol, address and range; a rule without ports leads whole hosts, and is left out."""
    protocols = (Protocol.TCP, Protocol.UDP) if where.protocols is None else sorted(where.protocols)
    own = (rule.where.ports if rule.where else None) or where.ports or ()
    for protocol in protocols:
        for host in (None,) if where.addresses is None else sorted(where.addresses, key=str):
            for first, last in where.ports or ():
                port = first if target.port is None else target.port
                if target.shifts:
                    port += first - next((start for start, end in own if start <= first <= end), first)
                yield Forward(
                    protocol=protocol,
                    address=host,
                    first=first,
                    last=last,
                    target_address=target.address,
                    target_port=None if target.spread else port,
                    shifts=target.shifts or target.port is None,
                    container_id=where.container_id,
                    conditions=where.conditions,
                    evidence=evidence,
                )
