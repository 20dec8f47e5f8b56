"""Remedies are to be run as they stand: they keep the options of the check, and the namespace that it was made in."""

from __future__ import annotations

from collections.abc import Iterable

from homeport.model.case import WEB_SCHEMES, Case
from homeport.model.diagnosis import Remedy, RemedyKind, Verdict
from homeport.rules.verdicts.kind import advice, is_own, word

_CHECK = "homeport check "
_USUAL_SECONDS = 5.0
_INSIDE = ("nft ", "iptables", "ip6tables", "ip link ", "curl ", "openssl ", "sysctl ")
"""Commands that mean the network namespace in which they run."""
_OTHER_HOST = frozenset((Verdict.HOST_REFUSED,))
_OTHER_VERSION = frozenset((Verdict.WRONG_PROTOCOL,))
_OTHER_SECURITY = frozenset((Verdict.TLS_EXPECTED, Verdict.PLAIN_EXPECTED, Verdict.WRONG_PROTOCOL))
"""Verdicts whose remedies ask with another Host, another HTTP, or with and without TLS: what was wished was wrong."""


def kept(case: Case, verdict: Verdict, remedies: Iterable[Remedy]) -> tuple[Remedy, ...]:
    """The remedies of a verdict, as they have to be typed for the same question."""
    return tuple(_kept(case, verdict, one) for one in remedies)


def _kept(case: Case, verdict: Verdict, one: Remedy) -> Remedy:
    if one.kind is not RemedyKind.COMMAND:
        return one
    if _CHECK in one.text:
        words = one.text.split()
        added = [
            f"{name} {word(value)}" if value else name for name, value in _options(case, verdict) if name not in words
        ]
        return Remedy(kind=one.kind, text=" ".join((one.text, *_fitting(added, words))), why=one.why)
    if one.text.startswith(_INSIDE) and case.wish.place is not None:
        prefix = _prefix(case)
        if prefix is None:  # as it stands it would act in the caller's own
            return advice(f"in the network of {case.wish.place}: {one.text}", one.why or "")
        return Remedy(kind=one.kind, text=f"{prefix} {one.text}", why=one.why)
    return one


def _options(case: Case, verdict: Verdict) -> Iterable[tuple[str, str]]:
    wish = case.wish
    if wish.host is not None and verdict not in _OTHER_HOST:
        yield "--host", wish.host
    if wish.http2 and verdict not in _OTHER_VERSION:
        yield "--http2", ""
    if verdict not in _OTHER_SECURITY:
        if wish.tls:
            yield "--tls", ""
        if wish.plain:
            yield "--plain", ""
    if wish.seconds > _USUAL_SECONDS:
        yield "--timeout", f"{wish.seconds:g}"
    if wish.place is not None:
        yield "--from", wish.place


def _fitting(options: list[str], words: list[str]) -> list[str]:
    """Without those of the web, where another protocol is asked for."""
    scheme = next((word.partition("://")[0] for word in words if "://" in word), None)
    if scheme is None or scheme in WEB_SCHEMES:
        return options
    return [one for one in options if not one.startswith(("--host", "--http2"))]


def _prefix(case: Case) -> str | None:
    """How to run a command in the namespace that the check was made from; None where that cannot be told."""
    if case.netns is not None and case.netns.name:
        return f"ip netns exec {word(case.netns.name)}"
    found = case.listener or next((one for one in case.listening if is_own(case, one) and one.owners), None)
    if case.there is None and found is not None and found.owners and is_own(case, found):
        return f"nsenter --net=/proc/{found.owners[0].process.pid}/ns/net"
    place = case.wish.place or ""
    is_pid = place.isdigit() and (case.netns is None or place != str(case.netns.inode))
    return f"nsenter --net=/proc/{place}/ns/net" if is_pid else None
