"""Verdicts about the name, and about addresses that are not of this machine."""

from __future__ import annotations

from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence, Evidence
from homeport.rules.neighbours import destination
from homeport.rules.verdicts.kind import Finding, advice, at, command, edit


def not_this_machine(case: Case) -> Finding | None:
    """Nothing is sent to another machine: every address that was asked for is one, or is led to one."""
    if case.away and not case.candidates:
        gives = f"{case.name} gives" if case.name is not None else "it is"
        away = ", ".join(str(one) for one in case.away)
        remedies = [advice(f"run homeport on the machine that has {away}", "it looks at its own machine only")]
        if case.name is not None:
            remedies.insert(0, edit(f"in /etc/hosts: 127.0.0.1 {case.name}", "if the name is meant to be this machine"))
        routes = (Evidence("kernel route", _route(one)) for one in case.routes if one.kind != "local")
        return Finding(
            Verdict.NOT_THIS_MACHINE, Fault.CLIENT, f"{gives} {away}, no address of this machine: nothing was sent",
            tuple(routes), tuple(remedies),
        )  # fmt: skip
    outside = [
        one for one in case.attempts if one.failure is not None and one.failure.failing is Failing.NOT_THIS_MACHINE
    ]
    if outside and case.connected is None:
        failure = outside[0].failure
        detail = "" if failure is None else failure.detail
        return Finding(
            Verdict.NOT_THIS_MACHINE, Fault.MACHINE, f"{at(case)} leads out of this machine: {detail}",
            (Evidence("guard", detail),),
            (command(f"homeport {case.port}", "shows what leads it away"),),
        )  # fmt: skip
    return None


def _route(one: object) -> str:
    kind, interface = getattr(one, "kind", None), getattr(one, "interface", None)
    error = getattr(one, "error", None)
    target = getattr(one, "destination", "")
    return f"{target}: {error or kind}" + (f" by {interface}" if interface else "")


def name_resolution(case: Case) -> Finding | None:
    """The name gives nothing, or what a client tries first is not meant."""
    if case.name is None:
        return None
    if case.name_error is not None:
        here = edit(f"in /etc/hosts: 127.0.0.1 {case.name}", "if the name is meant to be this machine")
        asks = command(f"homeport check 127.0.0.1:{case.port}", "the same without the name")
        return Finding(
            Verdict.NAME_RESOLUTION, Fault.MACHINE, f"{case.name} gives no address here: {case.name_error}",
            (Evidence("getaddrinfo(3)", case.name_error),), (here, asks),
        )  # fmt: skip
    local = case.name == "localhost" or case.name.endswith(".localhost")
    strange = [one for one in case.resolutions if local and not destination(one.address).is_loopback]
    if strange:
        one = strange[0]
        return Finding(
            Verdict.NAME_RESOLUTION, Fault.MACHINE,
            f"{case.name} gives {one.address} here, which is not loopback (RFC 6761 §6.3)",
            (Evidence(one.source, f"{one.address} {case.name}"),),
            (edit(f"in {one.source}: 127.0.0.1 {case.name}", "localhost must mean this machine"),),
        )  # fmt: skip
    if case.away and case.candidates and case.resolutions and case.resolutions[0].address in case.away:
        first = case.resolutions[0]
        return Finding(
            Verdict.NAME_RESOLUTION, Fault.MACHINE,
            f"clients of {case.name} try {first.address} first, which is another machine",
            (Evidence(first.source, f"{first.address} {case.name}"),),
            (edit(f"in {first.source}: without {first.address}", "this machine is then the first choice"),),
        )  # fmt: skip
    return None


def unknown_localhost(case: Case) -> Finding | None:
    """All else is well, and only clients that know localhost names by themselves get there."""
    name = case.name
    if name is None or not any(one.source.startswith("RFC 6761") for one in case.resolutions):
        return None
    return Finding(
        Verdict.NAME_RESOLUTION, Fault.MACHINE,
        f"the resolver here does not know {name}: browsers and curl reach it, Node.js, Python and others do not",
        (Evidence("getaddrinfo(3)", f"no address for {name}"),),
        (edit(f"in /etc/hosts: 127.0.0.1 {name}", "every client then finds it"),), Confidence.LIKELY,
    )  # fmt: skip
