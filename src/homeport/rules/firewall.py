"""What a rule set does with a packet: accept, drop, reject, or unknown where it depends on what cannot be told.

How a packet goes through the chains is in `rules.chains`; here the hooks are put together, and the ways that a packet
may go are summed up: only when all of them end alike that is the answer (Kleene's three values).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.firewall import Action, Hook, IPNetwork, Judgement, Packet, Ruleset
from homeport.rules.chains import End, World, traverse
from homeport.rules.packets import is_local

_BLOCKED = frozenset((Action.DROP, Action.REJECT))
_LOOP_IN = ((Hook.INGRESS, "lo", ""), (Hook.PREROUTING, "lo", ""), (Hook.INPUT, "lo", ""))
LOOP = ((Hook.POSTROUTING, "", "lo"), (Hook.EGRESS, "", "lo"), *_LOOP_IN)
"""The hooks that a packet passes out of and in by `lo`, each with its interfaces."""


def judge(ruleset: Ruleset, packet: Packet) -> Judgement:
    """What the base chains of the packet's hook do with it."""
    return summary(ruleset, traverse(ruleset, [World(packet)]), packet)


def judge_local(
    ruleset: Ruleset,
    address: IPAddress,
    port: int,
    protocol: Protocol = Protocol.TCP,
    *,
    source: IPAddress | None = None,
    uid: int | None = None,
) -> Judgement:
    """A connection from this namespace to an address of it: out by OUTPUT, in by `lo`, and the answer back.

    Where OUTPUT leads it to an address elsewhere, only the way out is judged; `packet` then has that address.
    """
    if source is None:
        source = ip_address("127.0.0.1") if address.version == 4 and address.is_loopback else address
    packet = Packet(
        hook=Hook.OUTPUT,
        protocol=protocol,
        source=host(source),
        destination=address,
        port=(port, port),
        source_port=ruleset.ephemeral,
        oif="lo",
        uid=uid,
    )
    ends = local_way(ruleset, traverse(ruleset, [World(packet)]))
    if protocol is Protocol.TCP:
        ends = then(ends, lambda worlds: _answered(ruleset, worlds))
    return summary(ruleset, ends, packet)


def _answered(ruleset: Ruleset, worlds: list[World]) -> list[End]:
    """The answers over `lo` to requests that arrived; the packet that is told stays the request's."""
    ends: list[End] = []
    for world in worlds:
        if not is_local(ruleset.interfaces, world.packet.destination):
            ends.append(End(Action.ACCEPT, world, world.by))
            continue
        back = world._replace(packet=answer(world.packet, Hook.OUTPUT, oif="lo"))
        ended = local_way(ruleset, traverse(ruleset, [back]))
        for end in ended:
            passed = end.action is Action.ACCEPT
            there = end.world._replace(packet=world.packet)
            ends.append(end._replace(place=world.by if passed else end.place, world=there, answering=not passed))
    return ends


def local_way(ruleset: Ruleset, ends: list[End]) -> list[End]:
    """From OUTPUT on: what stays here goes out of and comes in by `lo`, the rest leaves by what is not known here."""
    ends = then(ends, lambda worlds: traverse(ruleset, [_out(ruleset, one, Hook.POSTROUTING) for one in worlds]))
    ends = then(ends, lambda worlds: traverse(ruleset, [_out(ruleset, one, Hook.EGRESS) for one in worlds]))
    return then(ends, lambda worlds: _come_in(ruleset, worlds))


def _out(ruleset: Ruleset, world: World, hook: Hook) -> World:
    stays = is_local(ruleset.interfaces, world.packet.destination)
    return moved(world, hook, iif="", oif="lo" if stays else None)


def _come_in(ruleset: Ruleset, worlds: list[World]) -> list[End]:
    staying = [one for one in worlds if is_local(ruleset.interfaces, one.packet.destination)]
    leaving = [End(Action.ACCEPT, one, one.by) for one in worlds if one not in staying]
    return leaving + through(ruleset, [End(Action.ACCEPT, one, one.by) for one in staying], _LOOP_IN)


def through(ruleset: Ruleset, ends: list[End], hooks: Sequence[tuple[Hook, str, str]]) -> list[End]:
    """Take what passed through one hook after another, each with its interfaces."""
    for hook, iif, oif in hooks:
        passing = [moved(one.world, hook, iif=iif, oif=oif) for one in ends if one.action is Action.ACCEPT]
        ends = [one for one in ends if one.action is not Action.ACCEPT]
        ends += traverse(ruleset, passing) if passing else []
    return ends


def host(address: IPAddress) -> IPNetwork:
    """The network of one address."""
    return ip_network(address)


def moved(world: World, hook: Hook, *, iif: str | None = "", oif: str | None = "") -> World:
    """The same packet at another hook."""
    return world._replace(packet=replace(world.packet, hook=hook, iif=iif, oif=oif), assumed=frozenset())


def answer(packet: Packet, hook: Hook, *, iif: str | None = "", oif: str | None = "") -> Packet:
    """The first answer to a packet that arrived."""
    source = packet.source
    state = "established" if packet.state == "new" else packet.state
    return replace(
        packet,
        hook=hook,
        source=host(packet.destination),
        destination=source.network_address,
        port=packet.source_port,
        source_port=packet.port,
        iif=iif,
        oif=oif,
        state=state,
        uid=None,
        mark=0,
        reply=True,
    )


def then(ends: list[End], more: Callable[[list[World]], list[End]]) -> list[End]:
    """Ends with what becomes of those that passed."""
    stopped = [one for one in ends if one.action is not Action.ACCEPT]
    passing = [one.world for one in ends if one.action is Action.ACCEPT]
    return stopped + (more(passing) if passing else [])


def summary(ruleset: Ruleset, ends: Sequence[End], packet: Packet) -> Judgement:
    """One judgement of all ways: what they agree on, else unknown and on what it depends."""
    actions = {one.action for one in ends}
    conditions = tuple(dict.fromkeys(text for one in ends for text in one.world.conditions))
    if not ends:
        return _judgement(End(Action.UNKNOWN, World(packet), None), ("nothing could be followed",))
    if actions == {Action.ACCEPT}:
        deciding = next((one for one in ends if one.place is not None), ends[0])
        if ruleset.complete:
            return _judgement(deciding, ())
        return _judgement(deciding._replace(action=Action.UNKNOWN, place=None), ruleset.limits)
    if actions <= _BLOCKED:
        return _judgement(ends[0], conditions if len(actions) > 1 else ())
    doubtful = next((one for one in ends if one.world.doubt is not None), ends[0])
    return _judgement(End(Action.UNKNOWN, doubtful.world, doubtful.world.doubt or doubtful.place), conditions)


def _judgement(end: End, conditions: tuple[str, ...]) -> Judgement:
    place = end.place
    evidence = list(end.world.led)
    if place is not None:
        said = f"policy {place.chain.policy.value}" if place.rule is None else place.rule.text
        evidence.append(Evidence(place.text, said))
    handle = None if place is None or place.rule is None else place.rule.handle
    return Judgement(
        action=end.action,
        rule=None if place is None or place.rule is None else place.rule.text,
        family=None if place is None else place.table.family,
        table=None if place is None else place.table.name,
        chain=None if place is None else place.chain.name,
        handle=handle,
        reject_with=end.reject_with,
        evidence=tuple(dict.fromkeys(evidence)),
        conditions=conditions,
        packet=end.world.packet,
        program=None if place is None else place.table.source,
        answering=end.answering,
    )
