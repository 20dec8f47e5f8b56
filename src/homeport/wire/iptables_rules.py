"""The rules of iptables out of `iptables-save` and its kin (iptables(8), iptables-extensions(8)).

They come in the shape of nftables: fields are named as nft(8) names them, each table's chains have the kernel's own
priorities. A match that is not understood is a `Maybe`, a target that is not understood is `Opaque`.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import NamedTuple

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
    Untrack,
    Verdict,
)

_WORD = (1 << 32) - 1
_PRIORITIES = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}  # linux/netfilter_ipv4.h
_HOOKS = {one.value.upper(): one for one in Hook}
_SOURCE_NAT = frozenset((Hook.POSTROUTING, Hook.INPUT))
_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp"}
_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "RETURN": "return"}
_HARMLESS = frozenset(
    "LOG NFLOG ULOG CHECKSUM TCPMSS TOS DSCP TTL HL SET AUDIT TRACE CLASSIFY IDLETIMER SECMARK CONNSECMARK LED "  # noqa: SIM905
    "RATEEST TCPOPTSTRIP TEE CONNMARK CT".split()
)
_DIRECTIONS = {"--dport": "dport", "--sport": "sport", "--dports": "dport", "--sports": "sport"}
_DIRECTIONS |= {"--destination-port": "dport", "--source-port": "sport"}
_LONGEST_LINE = 8192
_LIMITED = "--limit-iface-in"
_NOT_IN_THE_FIRST = frozenset(("rt", "frag", "hbh", "dst", "mh", "ah", "esp"))
"""Matches of headers that no first packet of a connection has, nor its answer."""


class _Option(NamedTuple):
    """An option with its words, in the order of a line."""

    name: str
    values: tuple[str, ...]
    negated: bool

    @property
    def text(self) -> str:
        return " ".join((*(("!",) if self.negated else ()), self.name, *self.values))[:200]

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""


def parse(text: str, family: str, source: str) -> tuple[Table, ...]:
    """The tables of a family ("ip" or "ip6") that `source` printed; lines of no known form are left out."""
    tables: dict[str, dict[str, tuple[Action | None, list[Rule]]]] = {}
    chains: dict[str, tuple[Action | None, list[Rule]]] | None = None
    for line in text.split("\n"):
        if line.startswith("*"):
            chains = tables.setdefault(line[1:].strip(), {})
        elif chains is None:
            continue
        elif line.startswith(":"):
            name, _, rest = line[1:].partition(" ")
            policy = rest.partition(" ")[0]
            chains[name] = (_policy(policy), [])
        elif line.startswith("-A "):
            found = words(line)
            if len(found) < 2:
                continue
            rules = chains.setdefault(found[1], (None, []))[1]
            rules.append(Rule(line[:1000], None, len(rules) + 1, tuple(_statements(found[2:], family))))
    return tuple(Table(family, name, source, tuple(_chains(name, inner))) for name, inner in tables.items())


def words(line: str) -> list[str]:
    """Words of a line, as iptables-save quotes them; none of a line that it would not write."""
    import shlex

    try:
        return shlex.split(line, posix=True) if len(line) < _LONGEST_LINE else []
    except ValueError:  # a quote that is not closed
        return []


def _policy(word: str) -> Action | None:
    return {"ACCEPT": Action.ACCEPT, "DROP": Action.DROP}.get(word)


def _chains(table: str, chains: dict[str, tuple[Action | None, list[Rule]]]) -> Iterator[Chain]:
    for name, (policy, rules) in chains.items():
        hook = _HOOKS.get(name) if policy is not None else None
        priority = _PRIORITIES.get(table, 0)
        if table == "nat":
            priority = 100 if hook in _SOURCE_NAT else -100
        kind = None if hook is None else "nat" if table == "nat" else "filter"
        if (table, hook) == ("mangle", Hook.OUTPUT):
            kind = "route"  # iptable_mangle_hook of net/ipv4/netfilter/iptable_mangle.c looks for the way anew
        yield Chain(name, kind, hook, priority, policy or Action.ACCEPT, None, tuple(rules))


def _options(line: list[str]) -> Iterator[_Option]:
    name, negated, next_negated = "", False, False
    values: list[str] = []
    for number, word in enumerate(line):
        previous = line[number - 1] if number else ""
        if word == "!" and previous != "--comment":
            next_negated = True
        elif word.startswith("-") and previous != "--comment" and len(word) > 1:
            if name:
                yield _Option(name, tuple(values), negated)
            name, values, negated, next_negated = word, [], next_negated, False
        else:
            values.append(word)
    if name:
        yield _Option(name, tuple(values), negated)


def _statements(line: list[str], family: str) -> Iterator[Statement]:
    options = list(_options(line))
    protocol = next((_protocol(one.value) for one in options if one.name in ("-p", "--protocol")), "th")
    target = next((number for number, one in enumerate(options) if one.name in ("-j", "-g")), len(options))
    for module, some in _by_module(_joined(options[:target])):
        yield from _matches(module, some, family, protocol)
    if target < len(options):
        yield from _target(options[target], options[target + 1 :])


def _joined(options: list[_Option]) -> list[_Option]:
    """A kind of address that is asked of the incoming interface alone, as one option."""
    if not any(one.name == _LIMITED for one in options):
        return options
    return [
        one._replace(name=f"{one.name} {_LIMITED}") if one.name == "--dst-type" else one
        for one in options
        if one.name != _LIMITED or not any(each.name == "--dst-type" for each in options)
    ]


def _by_module(options: list[_Option]) -> Iterator[tuple[str, list[_Option]]]:
    """The options of each `-m`; those before the first are of "", iptables itself."""
    module, some = "", list[_Option]()
    for one in options:
        if one.name == "-m":
            yield module, some
            module, some = one.value, []
        elif one.name != "--comment":
            some.append(one)
    yield module, some


def _matches(module: str, options: list[_Option], family: str, protocol: str) -> Iterator[Match | Maybe]:
    """What the options of a module ask for; those that are not understood are one condition."""
    if module in _NOT_IN_THE_FIRST:
        yield Match(Lookup((module,), ()), False, " ".join((f"-m {module}", *(one.text for one in options)))[:200])
        return
    unknown = []
    for one in options:
        # the mark of conntrack is not the packet's
        found = None if one.name == "--mark" and module != "mark" else _match(one, family, protocol)
        if found is not None:
            yield found
        else:
            unknown.append(one.text)
    if unknown and not (module == "recent" and "--set" in unknown):  # which only notes the sender down
        yield Maybe(" ".join((f"-m {module}" if module else "", *unknown)).strip()[:200])


def _protocol(text: str) -> str:
    return _PROTOCOLS.get(text, text)


def _match(one: _Option, family: str, protocol: str) -> Match | None:
    """None for an option that is not understood."""
    try:
        found = _lookup(one, family, protocol)
    except ValueError:  # a value of another form than this module knows
        found = None
    return None if found is None else found._replace(negated=one.negated != found.negated)


def _lookup(one: _Option, family: str, protocol: str) -> Match | None:
    name, value = one.name, one.value
    if name in ("-p", "--protocol"):
        return None if value == "all" else _plain("l4proto", (_protocol(value),), one)
    if name in ("-s", "-d", "--source", "--destination"):
        network = ip_network(value, strict=False)
        span = int(network.network_address), int(network.broadcast_address)
        return _plain(f"{family} {'saddr' if name in ('-s', '--source') else 'daddr'}", (span,), one)
    if name in ("--src-range", "--dst-range"):
        low, _, high = value.partition("-")
        ends = int(ip_address(low)), int(ip_address(high or low))
        return _plain(f"{family} {'saddr' if name == '--src-range' else 'daddr'}", (ends,), one)
    if name in ("-i", "-o"):
        pattern = value[:-1] + "*" if value.endswith("+") else value
        return _plain("iifname" if name == "-i" else "oifname", (pattern,), one)
    if name in _DIRECTIONS:
        transport = protocol if protocol in ("tcp", "udp") else "th"
        return _plain(f"{transport} {_DIRECTIONS[name]}", tuple(_ports(value)), one)
    if name in ("--ctstate", "--state"):
        return _states(value, one)
    if name == "--ctorigdstport":
        return _plain("ct original proto-dst", tuple(_ports(value)), one)
    if name == "--ctorigdst":
        network = ip_network(value, strict=False)
        span = int(network.network_address), int(network.broadcast_address)
        return _plain("ct original daddr", (span,), one)
    if name == f"--dst-type {_LIMITED}":
        return _plain("fib daddr . iif type", tuple(value.lower().split(",")), one)
    if name == "--ctdir":
        return _plain("ct direction", (value.lower(),), one)
    if name in ("--dst-type", "--src-type"):
        return _plain(f"fib {'daddr' if name == '--dst-type' else 'saddr'} type", tuple(value.lower().split(",")), one)
    if name == "--uid-owner":
        low, _, high = value.partition("-")
        return _plain("skuid", ((int(low), int(high or low)),), one)
    if name == "--mark" or name == "--tcp-flags":
        return _masked(one)
    return _plain("pkttype", (value.replace("unicast", "host"),), one) if name == "--pkt-type" else None


def _plain(field: str, parts: tuple[Part, ...], one: _Option) -> Match:
    return Match(Lookup((field,), tuple((part,) for part in parts)), False, one.text)


def _masked(one: _Option) -> Match:
    if one.name == "--mark":
        number, _, mask = one.value.partition("/")
        bits, over, field = int(number, 0), int(mask, 0) if mask else _WORD, "mark"
    else:
        over, bits = (sum({_FLAGS[flag] for flag in text.split(",") if flag in _FLAGS}) for text in one.values[:2])
        field = "tcp flags"
    return Match(Lookup((field,), (((bits, bits),),), over), False, one.text)


def _states(value: str, one: _Option) -> Match | None:
    names = value.lower().split(",")
    translated = [name for name in names if name in ("dnat", "snat")]
    if translated and len(translated) < len(names):
        return None
    return _plain("ct status" if translated else "ct state", tuple(names), one)


def _ports(text: str) -> Iterator[tuple[int, int]]:
    for part in text.split(","):
        low, several, high = part.partition(":")
        yield int(low or 0), int(high or 65535) if several else int(low)


def _target(one: _Option, options: list[_Option]) -> Iterator[Statement]:
    name = one.value
    said = {each.name: each.value for each in options}
    text = " ".join((one.text, *(each.text for each in options)))[:400]
    if one.name == "-g":
        yield Verdict("goto", name)
    elif name in _VERDICTS:
        yield Verdict(_VERDICTS[name])
    elif name == "REJECT":
        yield Reject(_answer(said.get("--reject-with", "")))
    elif name in ("DNAT", "REDIRECT", "SNAT", "MASQUERADE", "NETMAP"):
        yield _translation(name, said, text)
    elif name == "MARK":
        yield _mark(said)
    elif name == "NOTRACK" or (name == "CT" and "--notrack" in said):
        yield Untrack()
    elif name == "CONNMARK" and "--restore-mark" in said:
        yield SetMark(None, None)
    elif name.isupper() and name.isalpha() and name in _OPAQUE:
        yield Opaque(text)
    elif name not in _HARMLESS:
        yield Verdict("jump", name)  # a chain of that name, or else what the judge does not know


_OPAQUE = frozenset(("TPROXY", "NFQUEUE", "QUEUE", "SYNPROXY", "CLUSTERIP", "DNPT", "SNPT", "TARPIT", "STEAL"))


def _answer(text: str) -> str:
    """As nft names it."""
    if text in ("tcp-reset", "tcp-rst"):
        return "tcp reset"
    kind, _, rest = text.partition("-")
    return f"{'icmpv6' if kind == 'icmp6' else 'icmp'} {rest}" if rest else "icmp port-unreachable"


def _mark(said: dict[str, str]) -> SetMark:
    """`--set-xmark value/mask`: the bits of mask are cleared, then those of value flipped."""
    try:
        if "--set-xmark" in said:
            value, _, mask = said["--set-xmark"].partition("/")
            return SetMark(_WORD & ~(int(mask, 0) if mask else _WORD), int(value, 0) & _WORD)
        if "--set-mark" in said:
            value, _, mask = said["--set-mark"].partition("/")
            bits = int(value, 0) & _WORD
            return SetMark(_WORD & ~((int(mask, 0) if mask else _WORD) | bits), bits)
    except ValueError:  # no number
        pass
    return SetMark(None, None)


def _translation(name: str, said: dict[str, str], text: str) -> Statement:
    kind = name.lower()
    to = said.get("--to-destination") or said.get("--to-source") or said.get("--to-ports") or ""
    if name == "NETMAP":
        return Opaque(text)
    try:
        if name in ("REDIRECT", "MASQUERADE"):
            return Translate(kind, None, _translated_ports(to), text)
        address, port = _split(to)
        base = port.partition("/")[2]
        return Translate(kind, _pool(address), _translated_ports(port), text, base=int(base) if base else None)
    except ValueError:  # another form than this module knows
        return Opaque(text)


def _split(text: str) -> tuple[str, str]:
    """`10.0.0.1:80`, `10.0.0.1`, `[fd00::1]:80`, `fd00::1`."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, port.removeprefix(":")
    if text.count(":") > 1:
        return text, ""
    address, _, port = text.partition(":")
    return address, port


def _pool(text: str) -> tuple[IPAddress, IPAddress] | None:
    if not text:
        return None
    low, _, high = text.partition("-")
    return ip_address(low), ip_address(high or low)


def _translated_ports(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    plain = text.partition("/")[0]
    low, _, high = plain.partition("-")
    return int(low), int(high or low)
