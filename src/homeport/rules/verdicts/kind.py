"""What a judge says."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homeport.model.case import Case
from homeport.model.diagnosis import Fault, Remedy, RemedyKind, Verdict
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Reason
from homeport.model.snapshot import Listener
from homeport.rules.masking import mask
from homeport.rules.naming import label
from homeport.rules.neighbours import endpoint_text
from homeport.rules.shell import word as word


class Finding(NamedTuple):
    """A verdict and what it rests on; see `model.diagnosis.Diagnosis`."""

    verdict: Verdict
    fault: Fault
    cause: str
    evidence: tuple[Evidence, ...]
    remedies: tuple[Remedy, ...] = ()
    confidence: Confidence = Confidence.CERTAIN


Judge = Callable[[Case], Finding | None]
"""Looks at a case, and says what is wrong if that is its matter, else nothing."""


def command(text: str, why: str) -> Remedy:
    """A command to run; what comes from outside of this program stands in it as a `word`."""
    return Remedy(kind=RemedyKind.COMMAND, text=text, why=why)


def edit(text: str, why: str) -> Remedy:
    """A change to a file, or to how something is started."""
    return Remedy(kind=RemedyKind.EDIT, text=text, why=why)


def advice(text: str, why: str = "") -> Remedy:
    """What else to do."""
    return Remedy(kind=RemedyKind.ADVICE, text=text, why=why)


def at(case: Case) -> str:
    """The address that the case is about, as `127.0.0.1:3000`."""
    if case.address is not None:
        return endpoint_text(case.address, case.port)
    return endpoint_text(case.endpoint.address, case.port) if case.name is None else f"{case.name}:{case.port}"


def url(case: Case, scheme: str, host: str | None = None) -> str:
    """The asked address as a URL of a scheme, by the name that was typed, without its query: a word of a command.

    `host`: another name or address in its place, as it stands in a URL.
    """
    if host is not None:
        return word(f"{scheme}://{host}:{case.port}{case.path.partition('?')[0]}")
    named = case.name if case.name is not None else "localhost" if case.endpoint.address is None else None
    there = endpoint_text(case.endpoint.address, case.port) if named is None else f"{named}:{case.port}"
    return word(f"{scheme}://{there}{case.path.partition('?')[0]}")


def shown(text: str) -> str:
    """A URL, or a part of one, fit to be shown: without its query, and with what else looks secret masked."""
    before, mark, _ = text.partition("?")
    return mask(before) + ("?…" if mark else "")


def place(one: Listener) -> str:
    """Where a listener is."""
    return endpoint_text(one.socket.address, one.socket.port)


def owner(one: Listener | None) -> str:
    """Who holds a listener: `node server.js (pid 4711)`."""
    if one is None or not one.owners:
        known = None if one is None else one.unattributed
        if known is not None and known.uid is not None and known.reason is Reason.OTHER_USER:
            return f"another user's process (uid {known.uid})"
        return "somebody who cannot be named" + (f" (uid {known.uid})" if known and known.uid is not None else "")
    first = one.owners[0]
    text = f"{label(first.process)} (pid {first.process.pid})"
    if first.container is not None:
        text += f" in container {first.container.name or first.container.id[:12]}"
    return text


def socket_evidence(one: Listener) -> Evidence:
    """The kernel's record of a listener."""
    socket = one.socket
    inode = "" if socket.inode is None else f", inode {socket.inode}"
    return Evidence("kernel socket", f"{socket.protocol.value} {place(one)} {socket.state.value}{inode}")


def is_own(case: Case, one: Listener) -> bool:
    """Whether a socket is in the network namespace that the asked address means: the client's, or a container's."""
    mine = case.there or (None if case.netns is None else case.netns.inode)
    return mine is None or one.socket.netns == mine  # None: of one that the caller may not read
