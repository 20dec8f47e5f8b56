"""Reach in sentences: whether other machines get to a listener, and what to do where they don't, each with its risk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.owners import Container
from homeport.model.reach import Advice, Answer, From, Reach, Reached
from homeport.model.snapshot import Listener
from homeport.rules.naming import address_text
from homeport.rules.neighbours import endpoint_text

_OTHERS = (From.NETWORK, From.VPN, From.ANYWHERE)
_LOOPBACK_NAMES = frozenset(("127.0.0.1", "localhost", "::1", "[::1]"))


def others(one: Reach) -> list[Reached]:
    """What holds for clients on other machines."""
    return [each for each in one.reached if each.origin.kind in _OTHERS]


def sentences(asked: str, address: IPAddress | None, reaches: Sequence[Reach]) -> Iterator[str]:
    """The common question: can this be used from another machine? Of several listeners each has its sentence."""
    if address is not None and address.is_loopback:
        yield f"{asked} always means the machine on which it is typed: another machine has to be told another address."
    for one in reaches:
        socket = one.listener.socket
        yield ("" if len(reaches) == 1 else f"{endpoint_text(socket.address, socket.port)}: ") + _sentence(one)


def _sentence(one: Reach) -> str:
    found = others(one)
    yes = [(each, each.way) for each in found if each.answer is Answer.YES and each.way is not None]
    maybe = [(each, each.way) for each in found if each.answer is Answer.UNKNOWN and each.way is not None]
    for best, way in yes[:1]:
        return f"Yes, from another machine it is {endpoint_text(way.address, way.port)} ({best.origin.name})."
    for best, way in maybe[:1]:
        return f"Perhaps from another machine, as {endpoint_text(way.address, way.port)}: {_doubt(best)}."
    if found:
        return f"No, not from another machine: {reason(found[0])}."
    return "No, not from another machine: this machine has no network that others are on."


def reason(one: Reached) -> str:
    """Why an origin has the answer that it has, in a few words."""
    if one.way is None:
        return "no address of it is one that they can reach"
    if one.answer is Answer.UNKNOWN:
        return _doubt(one)
    told = [each.text for each in one.way.why[1:]]
    if one.answer is Answer.YES:
        rules = [each for each in told[:-1] if each.startswith("accepted by") or _translates(each)]
        return "; ".join((*told[-1:], *dict.fromkeys(rules)))
    return told[-1] if told else "nothing is in the way"


def _translates(text: str) -> bool:
    return any(word in text for word in (" dnat ", " redirect", "-j DNAT", "-j REDIRECT"))


def _doubt(one: Reached) -> str:
    assert one.way is not None  # noqa: S101
    if one.way.conditions:
        return f"it depends on: {'; '.join(one.way.conditions[:3])}"
    if one.way.routed:
        return f"only who sends packets for {address_text(one.way.address)} by way of this machine"
    return "it cannot be told"


def advice(one: Reach, *, host: IPAddress | None, user: str, sshd: int | None, published: bool) -> Iterator[Advice]:
    """What to do to get there from another machine. `host`: an address of this machine that others know.

    `sshd`: the port of this machine's SSH server, None where there is none.
    """
    if any(each.answer is Answer.YES for each in others(one)):
        yield from _confine(one)
        return
    socket = one.listener.socket
    there = "HOST" if host is None else address_text(host)
    local = next((each.way for each in one.reached if each.origin.kind is From.MACHINE and each.way), None)
    inner = (
        endpoint_text(local.address, local.port) if local is not None else endpoint_text(socket.address, socket.port)
    )
    container = _container(one.listener)
    near = socket.port if socket.port >= 1024 else socket.port + 8000  # which needs no rights on the other machine
    if socket.protocol is Protocol.TCP:
        port = "" if sshd in (None, 22) else f"-p {sshd} "
        missing = "" if sshd is not None else "; no SSH server listens here yet"
        yield Advice(
            kind="tunnel",
            text=f"ssh {port}-N -L {near}:{inner} {user}@{there}",
            is_command=True,
            risk=f"on the other machine: only who may log in here gets through, for as long as it runs{missing}",
        )
    if container is not None and one.netns is not None and not published:
        engine = container.engine if container.engine in ("podman", "docker") else "podman"
        yield Advice(
            kind="publish",
            text=f"{engine} run -p {near}:{socket.port} … {container.image or 'IMAGE'}",
            is_command=True,
            risk=f"everybody who reaches this machine gets in; -p 127.0.0.1:{near}:{socket.port} keeps it here",
        )
    elif socket.address.is_loopback:
        yield _bind(one.listener, there if one.netns is None else "0.0.0.0")  # noqa: S104  # the container's, not ours
    blocker = next((_blocked(each) for each in others(one) if _blocked(each)), None)
    if blocker is not None:
        yield Advice(
            kind="firewall",
            text=f"let it through before this rule: {blocker}",
            is_command=False,
            risk="opens the port to everybody on that side; name the sources you mean in the rule",
        )
    if socket.protocol is Protocol.TCP:
        yield Advice(
            kind="proxy",
            text=f"caddy reverse-proxy --from https://{there}:8443 --to {inner}",
            is_command=True,
            risk="everybody who reaches this machine gets in, with TLS; have the proxy ask for a password",
        )


def _bind(listener: Listener, there: str) -> Advice:
    """Another bind address: in the command line, if it is there."""
    for owner in listener.owners:
        words = owner.process.cmdline or ()
        for number, word in enumerate(words):
            for name in _LOOPBACK_NAMES:
                if word == name or word.endswith(f"={name}") or word.startswith(f"{name}:"):
                    changed = word.replace(name, there)
                    text = f"restart it with {changed!r} instead of {word!r} (argument {number} of its command line)"
                    return _bound(text)
    return _bound(f"have it listen on {there} instead of {listener.socket.address} (often --host, --bind or a setting)")


def _bound(text: str) -> Advice:
    return Advice(
        kind="bind",
        text=text,
        is_command=False,
        risk="everybody on that network gets in, without TLS or a password that it does not ask for itself",
    )


def _confine(one: Reach) -> Iterator[Advice]:
    if one.listener.socket.address.is_unspecified and one.netns is None:
        yield Advice(
            kind="confine",
            text="to keep it to this machine, have it listen on 127.0.0.1 instead",
            is_command=False,
            risk="clients on other machines lose it",
        )


def _blocked(one: Reached) -> str | None:
    """The rule that stops an origin, if it is a rule."""
    if one.answer is not Answer.NO or one.way is None or not one.way.why:
        return None
    last = one.way.why[-1]
    stopped = last.text.removeprefix("the answer is ")
    return f"{stopped} ({last.source})" if stopped.startswith(("dropped by", "rejected by")) else None


def _container(listener: Listener) -> Container | None:
    return next((one.container for one in listener.owners if one.container is not None), None)


def nothing(asked: str, away: Sequence[IPAddress]) -> str:
    """Where there is no listener."""
    if away:
        return f"{asked} is not an address of this machine."
    return f"Nothing listens at {asked}: nobody can connect."
