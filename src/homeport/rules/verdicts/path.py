"""Verdicts about what lies between the client and the listener."""

from __future__ import annotations

from homeport.model.case import Attempt, Case
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.dialling import Failing
from homeport.model.firewall import Action, Judgement
from homeport.model.snapshot import Listener
from homeport.rules.neighbours import endpoint_text
from homeport.rules.verdicts.kind import Finding, at, command, owner

_VANISHED = frozenset((Failing.TIMED_OUT,))
_REJECTED = frozenset((Failing.REFUSED, Failing.RESET, Failing.UNREACHABLE, Failing.FORBIDDEN, Failing.TIMED_OUT))


def firewall_drop(case: Case) -> Finding | None:
    """A rule takes the packets away without a word."""
    found = _judged(case, Action.DROP)
    if found is None:
        return None
    attempt, judgement = found
    where = _where(judgement)
    cause = f"a firewall rule drops packets to {endpoint_text(attempt.address, case.port)}: {where}"
    return Finding(Verdict.FIREWALL_DROP, Fault.MACHINE, cause, judgement.evidence, _remedies(case, judgement))


def firewall_reject(case: Case) -> Finding | None:
    """A rule answers in the listener's place."""
    found = _judged(case, Action.REJECT)
    if found is None:
        return None
    attempt, judgement = found
    answer = f" with {judgement.reject_with}" if judgement.reject_with else ""
    there = endpoint_text(attempt.address, case.port)
    cause = f"a firewall rule rejects packets to {there}{answer}: {_where(judgement)}"
    return Finding(Verdict.FIREWALL_REJECT, Fault.MACHINE, cause, judgement.evidence, _remedies(case, judgement))


def _judged(case: Case, action: Action) -> tuple[Attempt, Judgement] | None:
    """A failed attempt that a rule explains, where a listener would have answered, or a port is led elsewhere."""
    if case.connected is not None:
        return None
    failures = _VANISHED if action is Action.DROP else _REJECTED
    listening = {one.address for one in case.candidates if one.listener is not None}
    for one in case.attempts:
        judgement = case.firewall.get(one.address)
        if one.failure is None or judgement is None or judgement.action is not action:
            continue
        if one.failure.failing in failures and (one.address in listening or not listening):
            return one, judgement
    return None


def _where(judgement: Judgement) -> str:
    place = f"{judgement.family} table {judgement.table}, chain {judgement.chain}"
    return f"{judgement.rule} ({place})" if judgement.rule is not None else f"the policy of {place}"


def _remedies(case: Case, judgement: Judgement) -> tuple[Remedy, ...]:
    chain = f"{judgement.family} {judgement.table} {judgement.chain}"
    remedies = []
    if judgement.handle is not None:
        remedies.append(
            command(
                f"nft delete rule {chain} handle {judgement.handle}", "takes the rule away until it is loaded again"
            )
        )
    protocol = case.protocol.value
    remedies.append(
        command(f"nft insert rule {chain} {protocol} dport {case.port} accept", "lets the port through before the rule")
    )
    remedies.append(command(f"homeport reach {case.asked}", f"who can reach {owner(_listener(case))} at {at(case)}"))
    return tuple(remedies)


def _listener(case: Case) -> Listener | None:
    return case.listener or next((one.listener for one in case.candidates if one.listener is not None), None)
