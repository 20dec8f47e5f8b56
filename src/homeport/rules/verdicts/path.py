"""Verdicts about what lies between the client and the listener."""

from __future__ import annotations

import shlex

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Evidence
from homeport.model.firewall import Action, Judgement
from homeport.model.snapshot import Listener
from homeport.rules.neighbours import destination, endpoint_text
from homeport.rules.verdicts.kind import Finding, at, command, owner, word

_VANISHED = frozenset((Failing.TIMED_OUT,))
_IPTABLES_CHAINS = frozenset(("INPUT", "OUTPUT", "FORWARD"))
_REJECTED = frozenset((Failing.REFUSED, Failing.RESET, Failing.UNREACHABLE, Failing.FORBIDDEN, Failing.TIMED_OUT))


def firewall_drop(case: Case) -> Finding | None:
    """A rule takes the packets away without a word."""
    found = _judged(case, Action.DROP)
    if found is None:
        return None
    address, judgement = found
    cause = f"a firewall rule drops packets to {endpoint_text(address, case.port)}: {_where(judgement)}"
    if case.connected is not None:
        cause += f"; clients try that first, and wait long before {endpoint_text(case.connected.address, case.port)}"
    return Finding(Verdict.FIREWALL_DROP, Fault.MACHINE, cause, judgement.evidence, _remedies(case, judgement))


def firewall_reject(case: Case) -> Finding | None:
    """A rule answers in the listener's place."""
    found = _judged(case, Action.REJECT)
    if found is None:
        return None
    address, judgement = found
    answer = f" with {judgement.reject_with}" if judgement.reject_with else ""
    there = endpoint_text(address, case.port)
    cause = f"a firewall rule rejects packets to {there}{answer}: {_where(judgement)}"
    return Finding(Verdict.FIREWALL_REJECT, Fault.MACHINE, cause, judgement.evidence, _remedies(case, judgement))


def loopback_down(case: Case) -> Finding | None:
    """In a network namespace that was just made, even 127.0.0.1 leads nowhere until `lo` is brought up."""
    if case.connected is not None:
        return None
    lost = [one for one in case.routes if one.error is not None and destination(one.destination).is_loopback]
    cut = [one for one in case.attempts if one.failure is not None and one.failure.failing is Failing.TIMED_OUT]
    if case.loopback is not False or not (lost or cut):
        return None
    name = case.netns.name if case.netns is not None else None
    where = f"network namespace {name}" if name else "this network namespace"
    cause = f"the loopback interface lo is down in {where}: not even its own addresses can be reached"
    evidence = [Evidence("rtnetlink(7) RTM_GETLINK", "lo: IFF_UP is not set")]
    evidence += [Evidence("rtnetlink(7) RTM_GETROUTE", f"{one.destination}: {one.error}") for one in lost]
    remedy = command(f"ip{f' -n {word(name)}' if name else ''} link set lo up", "brings it up (root)")
    return Finding(Verdict.LOOPBACK_DOWN, Fault.MACHINE, cause, tuple(evidence), (remedy,))


def _judged(case: Case, action: Action) -> tuple[IPAddress, Judgement] | None:
    """An address that a rule keeps clients from, though somebody listens there, or the port is led elsewhere.

    One that only swallows packets keeps them too where a client tries it before the address that answers.
    """
    failures = _VANISHED if action is Action.DROP else _REJECTED
    first = None if case.connected is None else case.attempts.index(case.connected)
    for one in case.attempts[:first]:
        judgement = case.firewall.get(one.address)
        if one.failure is None or judgement is None or judgement.action is not action:
            continue
        delays = first is not None and action is Action.DROP
        if one.failure.failing in failures and (delays or (first is None and _expected(case, one.address, judgement))):
            return one.address, judgement
    if case.protocol is Protocol.UDP and case.spoken is None:
        found = ((one.address, case.firewall.get(one.address)) for one in case.candidates if one.listener is not None)
        return next(((each, one) for each, one in found if one is not None and one.action is action), None)
    return None


def _expected(case: Case, address: IPAddress, judgement: Judgement) -> bool:
    """Whether somebody would answer if the rule were not."""
    listening = {one.address for one in case.candidates if one.listener is not None}
    led = judgement.packet.destination != destination(address) or judgement.packet.port != (case.port, case.port)
    return address in listening or led or bool(case.published)


def _where(judgement: Judgement) -> str:
    place = f"{judgement.family} table {judgement.table}, chain {judgement.chain}"
    return f"{judgement.rule} ({place})" if judgement.rule is not None else f"the policy of {place}"


def _remedies(case: Case, judgement: Judgement) -> tuple[Remedy, ...]:
    """With the program that the rule was made with, as far as it is known; for the port that the packet has there."""
    port = judgement.packet.port[0]
    protocol, side = case.protocol.value, "sport" if judgement.answering else "dport"
    chain = " ".join(word(str(one)) for one in (judgement.family, judgement.table, judgement.chain))
    program = _iptables(judgement)
    insert = f"nft insert rule {chain} {protocol} {side} {port} accept"
    delete = None if judgement.handle is None else f"nft delete rule {chain} handle {judgement.handle}"
    if program is not None:
        insert = f"{program} -I {judgement.chain} -p {protocol} --{side} {port} -j ACCEPT"
        if judgement.rule is not None and judgement.rule.startswith("-A "):
            delete = f"{program} -D {_quoted(judgement.rule.removeprefix('-A '))}"
    remedies = [] if delete is None else [command(delete, "takes the rule away until it is loaded again")]
    remedies.append(command(insert, "lets the port through before the rule"))
    listener = _listener(case)
    who = f"who can reach {at(case) if listener is None else f'{owner(listener)} at {at(case)}'}"
    remedies.append(command(f"homeport reach {word(case.asked)}", who))
    return tuple(remedies)


def _quoted(rule: str) -> str:
    """The words of a rule of iptables-save(8), which may bear anybody's comment, as words of a shell."""
    try:
        return " ".join(word(one) for one in shlex.split(rule))
    except ValueError:  # a quotation mark that is not closed
        return word(rule)


def _iptables(judgement: Judgement) -> str | None:
    """The program of iptables(8) whose table it is; None: nft's, or another table than `filter`."""
    program = {"ip": "iptables", "ip6": "ip6tables"}.get(judgement.family or "")
    if program is None or judgement.table != "filter" or judgement.chain not in _IPTABLES_CHAINS:
        return None
    return f"{program}-legacy" if "legacy" in (judgement.program or "") else program


def _listener(case: Case) -> Listener | None:
    return case.listener or next((one.listener for one in case.candidates if one.listener is not None), None)
