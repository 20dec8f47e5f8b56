"""How a packet goes through the chains of a rule set, by the kernel's own order.

Base chains of a hook are gone through by priority, whatever table they are in: the first drop or reject ends, an accept
ends its own base chain only (nft(8), "Verdict statements"). What cannot be told, because a field is not known, a
statement is not understood or a rate decides, makes the packet go both ways, each a `World`. Address translation is
done at its fixed places (nf_nat_ipv4_ops of net/netfilter/nf_nat_proto.c), for the first packet of a connection, by the
first chain that translates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.firewall import (
    Action,
    Chain,
    Hook,
    Lookup,
    Match,
    Maybe,
    Opaque,
    Packet,
    Reject,
    Rule,
    Ruleset,
    SetMark,
    Statement,
    Table,
    Translate,
    TranslateMap,
    Untrack,
    Verdict,
    VerdictMap,
)
from homeport.rules.packets import Interfaces, Truth, matching, truth

_DEEPEST = 16  # NFT_JUMP_STACK_SIZE, include/net/netfilter/nf_tables.h
_MOST_STEPS = 400_000
_MOST_WORLDS = 64
_CONNTRACK = -200  # NF_IP_PRI_CONNTRACK
_NAT = {Hook.PREROUTING: -100, Hook.OUTPUT: -100, Hook.POSTROUTING: 100, Hook.INPUT: 100}
_FIRST = frozenset((Hook.PREROUTING, Hook.OUTPUT))
_FAMILIES = {"ip": frozenset(("ip", "inet", "netdev")), "ip6": frozenset(("ip6", "inet", "netdev"))}


class Place(NamedTuple):
    """Where a packet's way was decided; `rule` None: by the chain's policy."""

    table: Table
    chain: Chain
    rule: Rule | None

    def __eq__(self, other: object) -> bool:
        """The same place of the same rule set: a table with a thousand rules is not compared rule by rule."""
        return isinstance(other, Place) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[int, int, int]:
        return id(self.table), id(self.chain), id(self.rule)

    @property
    def text(self) -> str:
        """As commands name it."""
        number = "" if self.rule is None else f" handle {self.rule.handle}" if self.rule.handle is not None else ""
        number = number or ("" if self.rule is None else f" rule {self.rule.number}")
        return f"{self.table.source}: {self.table.family} {self.table.name} {self.chain.name}{number}"


class World(NamedTuple):
    """One way that a packet may go: how it looks, what is taken for true, and on which conditions."""

    packet: Packet
    assumed: frozenset[tuple[str, bool]] = frozenset()
    conditions: tuple[str, ...] = ()
    translated: bool = False
    tracked: bool = False
    by: Place | None = None
    """The last rule that let it pass, or translated it, in so many words."""
    led: tuple[Evidence, ...] = ()
    """The translations, with their rules."""
    rerouted: bool = False
    """Whether its way out was chosen anew after OUTPUT: by its mark, or for another destination."""
    doubt: Place | None = None
    """The first rule of which it could not be told what it does."""


class End(NamedTuple):
    """Where one way ends; `answering`: on the way back."""

    action: Action
    world: World
    place: Place | None
    reject_with: str | None = None
    answering: bool = False


def traverse(ruleset: Ruleset, worlds: list[World]) -> list[End]:
    """Take each world through the base chains of its packet's hook; they come back with what became of them."""
    ends: list[End] = []
    groups: dict[tuple[Hook, str], list[World]] = {}
    for one in worlds:
        groups.setdefault((one.packet.hook, one.packet.family), []).append(one)
    for (hook, family), some in groups.items():
        walk = _Walk(ruleset)
        ends += walk.through(_base_chains(ruleset, hook, family), some)
    return ends


def _base_chains(ruleset: Ruleset, hook: Hook, family: str) -> list[tuple[Table, Chain]]:
    found = [
        (table, chain)
        for table in ruleset.tables
        if table.family in _FAMILIES[family]
        for chain in table.chains
        if chain.hook is hook
    ]
    return sorted(found, key=lambda one: _position(one[1]))


def _position(chain: Chain) -> tuple[int, int]:
    """Chains of type nat are called from one place, and there by their own priorities."""
    if chain.kind == "nat" and chain.hook in _NAT:
        return _NAT[chain.hook], chain.priority
    return chain.priority, 0


class _Passed(NamedTuple):
    """What a chain, or a rule, did: some ways end, some go on with the next rule, some return from the chain."""

    ends: list[End]
    on: list[World]
    returned: list[World]


class _At(NamedTuple):
    """Where a packet is: `chains` are those that a jump may lead to, `path` those through which it jumped here."""

    place: Place
    chains: dict[str, Chain]
    path: tuple[str, ...] = ()


class _Walk:
    """One packet's way through the chains of one hook."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._interfaces = ruleset.interfaces
        self._steps = 0

    def through(self, chains: Iterable[tuple[Table, Chain]], worlds: list[World]) -> list[End]:
        """All base chains, one after another."""
        ends: list[End] = []
        for table, chain in chains:
            at = _At(Place(table, chain, None), {one.name: one for one in table.chains})
            on = []
            for world in _fewer(worlds, ends):
                for end in self._base(at, world._replace(assumed=frozenset())):
                    if end.action is Action.ACCEPT:
                        on.append(end.world)
                    else:
                        ends.append(end)
            worlds = on
        return ends + [End(Action.ACCEPT, one, one.by) for one in worlds]

    def _base(self, at: _At, world: World) -> Iterator[End]:
        """A base chain; before conntrack saw a packet, its state is none of the known ones."""
        chain, state = at.place.chain, world.packet.state
        first = chain.hook in _FIRST
        early = first and _position(chain)[0] < _CONNTRACK and not world.tracked and state != "untracked"
        if first and not early:
            world = world._replace(tracked=True)
        if not _concerns(chain, world):
            yield End(Action.ACCEPT, world, world.by)
            return
        if chain.devices is None and chain.hook in (Hook.INGRESS, Hook.EGRESS):
            world = _on_condition(world, f"which interfaces chain {chain.name} is bound to", at.place)
            yield End(Action.ACCEPT, world, world.by)
        if early:
            world = _changed(world, replace(world.packet, state="invalid"))
        passed = self._chain(at, [world])
        policy = (End(chain.policy, one, at.place) for one in (*passed.on, *passed.returned))
        for end in (*passed.ends, *policy):
            if chain.kind == "route" and end.world.packet.mark != world.packet.mark:
                end = end._replace(world=end.world._replace(rerouted=True))
            if early and end.world.packet.state == "invalid":
                yield end._replace(world=_changed(end.world, replace(end.world.packet, state=state)))
            else:
                yield end

    def _chain(self, at: _At, worlds: list[World]) -> _Passed:
        done = _Passed([], [], [])
        for rule in at.place.chain.rules:
            self._steps += len(worlds)
            if not worlds or self._steps > _MOST_STEPS:
                break
            one = self._rule(at._replace(place=at.place._replace(rule=rule)), rule, worlds)
            done.ends.extend(one.ends)
            done.returned.extend(one.returned)
            worlds = _fewer(one.on, done.ends)
        if self._steps > _MOST_STEPS:
            done.ends.extend(End(Action.UNKNOWN, _on_condition(one, "too many rules"), None) for one in worlds)
            worlds = []
        done.on.extend(worlds)
        return done

    def _rule(self, at: _At, rule: Rule, worlds: list[World]) -> _Passed:
        done = _Passed([], [], [])
        for statement in rule.statements:
            live: list[World] = []
            for world in worlds:
                live += self._statement(at, statement, world, done)
            worlds = live
        done.on.extend(worlds)
        return done

    def _statement(self, at: _At, statement: Statement, world: World, done: _Passed) -> list[World]:
        """The worlds that go on with the rule's next statement; what else becomes of this one is added to `done`."""
        match statement:
            case Match():
                return self._split(at, statement, world, done)
            case Maybe(text):
                done.on.append(_on_condition(world, text, at.place))
                return [_on_condition(world, text, at.place)]
            case Opaque(text):
                doubtful = _on_condition(world, text, at.place)
                done.ends.append(End(Action.UNKNOWN, doubtful, at.place))
                return [doubtful]
            case SetMark():
                return [_marked(statement, world)]
            case Untrack():
                return [world if world.tracked else _changed(world, replace(world.packet, state="untracked"))]
            case Verdict():
                self._verdict(at, statement, world, done)
            case VerdictMap(lookup, verdicts, text):
                for index, chosen in self._chosen(at, lookup, text, world, done):
                    self._verdict(at, verdicts[index], chosen, done)
            case Reject(answer):
                if _can_reject(answer, world.packet):
                    done.ends.append(End(Action.REJECT, world, at.place, answer))
                else:
                    done.on.append(world)
            case Translate():
                self._translate(at, statement, world, done)
            case TranslateMap(lookup, translations, text):
                for index, chosen in self._chosen(at, lookup, text, world, done):
                    self._translate(at, translations[index], chosen, done)
        return []

    def _split(self, at: _At, match: Match, world: World, done: _Passed) -> list[World]:
        if (match.text, True) in world.assumed:
            return [world]
        found = truth(match, world.packet, self._interfaces)
        if found is Truth.NO or (match.text, False) in world.assumed:
            done.on.append(world)
            return []
        if found is Truth.YES:
            return [world]
        doubtful = _on_condition(world, match.text, at.place)
        done.on.append(doubtful._replace(assumed=world.assumed | {(match.text, False)}))
        return [doubtful._replace(assumed=world.assumed | {(match.text, True)})]

    def _chosen(self, at: _At, lookup: Lookup, text: str, world: World, done: _Passed) -> list[tuple[int, World]]:
        """The elements of a map that may be taken, each in a world of its own; where none may, the rule is left."""
        found = matching(lookup, world.packet, self._interfaces)
        certain = next((index for index, one in found if one is Truth.YES), None)
        open_ones = [index for index, one in found if one is Truth.MAYBE]
        if certain is not None and not open_ones:
            return [(certain, world)]
        doubtful = _on_condition(world, text, at.place) if found else world
        if certain is not None:  # the element for all the rest
            return [(index, doubtful) for index in (*open_ones, certain)]
        done.on.append(doubtful)
        return [(index, doubtful) for index in open_ones]

    def _verdict(self, at: _At, verdict: Verdict, world: World, done: _Passed) -> None:
        if verdict.kind == "accept":
            done.ends.append(End(Action.ACCEPT, world._replace(by=at.place), at.place))
        elif verdict.kind == "drop":
            done.ends.append(End(Action.DROP, world, at.place))
        elif verdict.kind == "continue":
            done.on.append(world)
        elif verdict.kind == "return":
            done.returned.append(world)
        else:
            target = at.chains.get(verdict.target or "")
            # the kernel takes no rules that come back to their own chain
            if target is None or target.name in at.path or len(at.path) >= _DEEPEST:
                done.ends.append(
                    End(Action.UNKNOWN, _on_condition(world, f"chain {verdict.target}", at.place), at.place)
                )
                return
            within = (*at.path, target.name)
            inner = self._chain(_At(Place(at.place.table, target, None), at.chains, within), [world])
            done.ends.extend(inner.ends)
            # who goes does not come back: the chain that went is left too
            (done.on if verdict.kind == "jump" else done.returned).extend((*inner.on, *inner.returned))

    def _translate(self, at: _At, how: Translate, world: World, done: _Passed) -> None:
        packet = world.packet
        if how.family not in (None, packet.family):
            done.on.append(world)
            return
        evidence = Evidence(at.place.text, how.text)
        for changed in _translated(how, packet, self._interfaces):
            new = _changed(world, changed)._replace(by=at.place, led=(*world.led, evidence))
            new = new._replace(
                translated=world.translated or "dnat" in changed.status,
                rerouted=world.rerouted or (packet.hook is Hook.OUTPUT and changed.destination != packet.destination),
            )
            if how.addresses is not None and how.addresses[0] != how.addresses[1]:
                new = _on_condition(new, how.text, at.place)
                if how.kind == "dnat" and int(how.addresses[1]) - int(how.addresses[0]) > 1:
                    done.ends.append(End(Action.UNKNOWN, new, at.place))  # one of the addresses between them
            done.ends.append(End(Action.ACCEPT, new, at.place))


def _marked(how: SetMark, world: World) -> World:
    mark = world.packet.mark
    if how.keep is None or how.flip is None or (mark is None and how.keep):
        new = None
    else:
        new = ((mark or 0) & how.keep) ^ how.flip
    return _changed(world, replace(world.packet, mark=new))


def _concerns(chain: Chain, world: World) -> bool:
    """Whether a base chain sees the packet at all: nat only the first of a connection, and only once for each side."""
    packet = world.packet
    if chain.kind == "nat":
        if packet.reply or packet.state != "new":
            return False
        # what comes in by lo got its translation on the way out
        source_side = chain.hook in (Hook.INPUT, Hook.POSTROUTING)
        looped = packet.iif == "lo" and chain.hook in (Hook.PREROUTING, Hook.INPUT)
        return not looped and ("snat" not in packet.status if source_side else not world.translated)
    if chain.devices is not None and packet.hook in (Hook.INGRESS, Hook.EGRESS):
        device = packet.iif if packet.hook is Hook.INGRESS else packet.oif
        return device is None or device in chain.devices
    return True


def _translated(how: Translate, packet: Packet, interfaces: Interfaces) -> Iterator[Packet]:
    """The packet after translation: one for each destination that a pool may give, its ends standing for all."""
    ports = _led_to(how, packet)
    if how.kind in ("snat", "masquerade"):
        status = packet.status | {"snat"}
        if how.addresses is not None:
            source = ip_network(how.addresses[0])
        else:
            own = _addresses_of(interfaces, packet.oif, packet.family)
            source = ip_network(own[0]) if own else ip_network("0.0.0.0/0" if packet.family == "ip" else "::/0")
        yield replace(packet, source=source, source_port=how.ports or (1, 65535), status=status)
        return
    status = packet.status | {"dnat"}
    packet = replace(packet, asked=packet.asked or (packet.destination, packet.port))
    if how.kind == "redirect":
        if packet.hook is Hook.OUTPUT:
            targets = [ip_address("127.0.0.1" if packet.family == "ip" else "::1")]
        else:
            targets = _addresses_of(interfaces, packet.iif, packet.family)[:1]
        for target in targets or [packet.destination]:
            yield replace(packet, destination=target, port=ports, status=status)
        return
    for address in dict.fromkeys(how.addresses or (packet.destination,)):
        yield replace(packet, destination=address, port=ports, status=status)


def _led_to(how: Translate, packet: Packet) -> tuple[int, int]:
    """The ports that the packet may get (nf_nat_l4proto_unique_tuple of net/netfilter/nf_nat_core.c)."""
    low, high = how.ports or packet.port
    asked = packet.port[0]
    if how.ports is None or low == high or packet.port[1] != asked or how.kind in ("snat", "masquerade"):
        return low, high
    if how.base is not None:
        port = low + (asked - how.base) % (high - low + 1)
        return port, port
    return (asked, asked) if low <= asked <= high and "random" not in how.text else (low, high)


def _addresses_of(interfaces: Interfaces, interface: str | None, family: str) -> list[IPAddress]:
    version = 4 if family == "ip" else 6
    return [
        each.ip
        for one in interfaces
        if one.name == interface
        for each in one.addresses
        if each.version == version and (version == 4 or not each.ip.is_link_local)
    ]


def _can_reject(text: str, packet: Packet) -> bool:
    """Whether a packet is of the kind that the answer fits; nft asks for that before it rejects."""
    kind = text.partition(" ")[0]
    if kind == "tcp":
        return packet.protocol is Protocol.TCP
    return kind not in ("icmp", "icmpv6") or (kind == "icmp") == (packet.family == "ip")


def _on_condition(world: World, text: str, place: Place | None = None) -> World:
    if text in world.conditions:
        return world
    return world._replace(conditions=(*world.conditions, text), doubt=world.doubt or place)


def _changed(world: World, packet: Packet) -> World:
    """With another packet, about which nothing was taken for granted yet."""
    return world if packet == world.packet else world._replace(packet=packet, assumed=frozenset())


def _fewer(worlds: list[World], ends: list[End]) -> list[World]:
    """No more worlds than can be followed: those that look alike are one, and of too many the end is not known."""
    if len(worlds) <= 1:
        return worlds
    worlds = list(dict.fromkeys(worlds))
    if len(worlds) > _MOST_WORLDS:
        alike: dict[tuple[Packet, bool, bool], World] = {}
        for one in worlds:
            alike.setdefault((one.packet, one.translated, one.tracked), one._replace(assumed=frozenset()))
        worlds = list(alike.values())
    surplus = worlds[_MOST_WORLDS:]
    ends += (End(Action.UNKNOWN, _on_condition(one, "too many possibilities"), None) for one in surplus)
    return worlds[:_MOST_WORLDS]
