"""What the firewall says to a connection from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.addresses import IPAddress
from homeport.model.case import Case
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.model.firewall import Action, Judgement
from homeport.probes.kind import Probe, World
from homeport.rules.neighbours import endpoint_text

_OUTCOMES = {
    Action.ACCEPT: Outcome.OK,
    Action.DROP: Outcome.FAILED,
    Action.REJECT: Outcome.FAILED,
    Action.UNKNOWN: Outcome.SKIPPED,
}


def look(case: Case, world: World) -> Case:
    """The judgement of the rules for each address."""
    found = {one.address: world.judge(case, one.address) for one in case.candidates}
    return replace(case, firewall={address: one for address, one in found.items() if one is not None})


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """One line for each address; one for all where they agree."""
    said: dict[tuple[object, ...], list[tuple[IPAddress, Judgement]]] = {}
    for address, one in case.firewall.items():
        said.setdefault((one.action, one.rule, one.table, one.chain), []).append((address, one))
    for some in said.values():
        one = some[0][1]
        there = ", ".join(endpoint_text(address, case.port) for address, _ in some)
        yield Observation(
            layer=Layer.FIREWALL,
            outcome=_OUTCOMES[one.action],
            detail=f"{there}: {_text(one)}",
            seconds=seconds,
            evidence=one.evidence,
        )


def _text(one: Judgement) -> str:
    if one.action is Action.ACCEPT:
        return "no rule is in the way" if one.rule is None else f"accepted by {one.rule}"
    if one.action is Action.UNKNOWN:
        unread = [each for each in one.conditions if "not read" in each]
        why = "; ".join(unread) or "; ".join(f"depends on {each}" for each in one.conditions)
        return "cannot be told" + (f": {why}" if why else "")
    where = f" ({one.family} table {one.table}, chain {one.chain})"
    return f"{one.action.value}: {one.rule or 'the policy'}{where}"


PROBE = Probe(Layer.FIREWALL, look, tell)
