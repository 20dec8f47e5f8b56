"""Verdicts about the name, and about addresses that are not of this machine."""

from __future__ import annotations

from difflib import get_close_matches

from homeport.model.addresses import IPAddress
from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Remedy, Verdict
from homeport.model.dialling import Failing
from homeport.model.evidence import Confidence, Evidence
from homeport.rules.neighbours import destination
from homeport.rules.verdicts.kind import Finding, advice, at, command, edit, url


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
    if any(_is_cut_off(case, one.address) for one in outside):
        return None
    if outside and case.connected is None:
        failure = outside[0].failure
        detail = "" if failure is None else failure.detail
        return Finding(
            Verdict.NOT_THIS_MACHINE, Fault.MACHINE, f"{at(case)} leads out of this machine: {detail}",
            (Evidence("guard", detail),),
            (command(f"homeport {case.port}", "shows what leads it away"),),
        )  # fmt: skip
    return None


def _is_cut_off(case: Case, address: IPAddress) -> bool:
    """Whether it is loopback of a family that is switched off: `lo` is up, and has no route for it."""
    lost = any(one.destination == address and one.error is not None for one in case.routes)
    return case.loopback is True and lost and destination(address).is_loopback


def family_off(case: Case) -> Finding | None:
    """Somebody listens at a loopback address of a family that is switched off."""
    lost = [one.address for one in case.attempts if _is_cut_off(case, one.address)]
    held = any(one.listener is not None and one.address in lost for one in case.candidates)
    if not held or case.connected is not None:
        return None
    family = f"IPv{lost[0].version}"
    error = next(one.error or "" for one in case.routes if one.destination == lost[0])
    other = "127.0.0.1" if lost[0].version == 6 else "[::1]"
    there = url(case, case.scheme, other) if case.scheme is not None else f"{other}:{case.port}"
    remedies = [command(f"homeport check {there}", "the same over the other family")]
    if lost[0].version == 6:
        setting = "net.ipv6.conf.lo.disable_ipv6"
        remedies.append(command(f"sysctl -w {setting}=0", "switches it on for loopback (root)"))
    cause = f"{family} is switched off for loopback here: {at(case)} cannot be reached"
    evidence = Evidence("rtnetlink(7) RTM_GETROUTE", f"{lost[0]}: {error}")
    return Finding(Verdict.OTHER_FAMILY, Fault.MACHINE, cause, (evidence,), tuple(remedies))


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
        vain = next(iter(case.in_vain), None)
        file = "/etc/hosts" if vain is None else vain.source
        here = edit(f"in {file}: 127.0.0.1 {case.name}", "if the name is meant to be this machine")
        asks = command(f"homeport check 127.0.0.1:{case.port}", "the same without the name")
        return Finding(
            Verdict.NAME_RESOLUTION, Fault.MACHINE,
            f"{case.name} gives no address here: {case.name_error}" + (f"; {file} has it in vain" if vain else ""),
            (Evidence("getaddrinfo(3)", case.name_error), *case.in_vain), (*_meant(case), here, asks),
        )  # fmt: skip
    local = case.name.removesuffix(".") == "localhost" or case.name.endswith(".localhost")
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


def _meant(case: Case) -> tuple[Remedy, ...]:
    """A name that is likely only misspelt."""
    if not get_close_matches(case.name or "", ("localhost",), cutoff=0.8):
        return ()
    there = url(case, case.scheme, "localhost") if case.scheme is not None else f"localhost:{case.port}"
    return (command(f"homeport check {there}", "if localhost was meant"),)


def unknown_localhost(case: Case) -> Finding | None:
    """All else is well, and only clients that know localhost names by themselves get there."""
    name = case.name
    if name is None or not any(one.source.startswith("RFC 6761") for one in case.resolutions):
        return None
    plain = name.removesuffix(".")
    remedies = [edit(f"in /etc/hosts: 127.0.0.1 {plain}", "every client then finds it")]
    if plain != name:
        there = url(case, case.scheme, plain) if case.scheme is not None else f"{plain}:{case.port}"
        remedies.insert(0, command(f"homeport check {there}", "the name without the dot at its end"))
    return Finding(
        Verdict.NAME_RESOLUTION, Fault.MACHINE,
        f"the resolver here does not know {name}: browsers and curl reach it, Node.js, Python and others do not",
        (Evidence("getaddrinfo(3)", f"no address for {name}"),),
        tuple(remedies), Confidence.LIKELY,
    )  # fmt: skip
