"""Reach in sentences: whether other machines get to a listener, and what to do where they don't, each with its risk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.firewall import Hook, IPNetwork
from homeport.model.owners import Container
from homeport.model.reach import Advice, Answer, From, Reach, Reached, Stop
from homeport.model.snapshot import Listener
from homeport.rules.naming import address_text
from homeport.rules.neighbours import endpoint_text
from homeport.rules.shell import word

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
    if maybe and not any(way.conditions for _, way in maybe):
        best, way = maybe[0]
        return f"No, not in the ordinary way: {_doubt(best)}, as {endpoint_text(way.address, way.port)}."
    for best, way in [one for one in maybe if one[1].conditions][:1]:
        return f"Perhaps from another machine, as {endpoint_text(way.address, way.port)}: {_doubt(best)}."
    address = one.listener.socket.address
    if found and one.netns is None and address.is_loopback:
        said = f"it listens only on {address_text(address)}, which is for this machine alone"
        return f"No, not from another machine: {said}."
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
        rules = [each for each in told[:-1] if each.startswith("accepted by") or _leads_on(each)]
        return "; ".join((*told[-1:], *dict.fromkeys(rules)))
    return told[-1] if told else "nothing is in the way"


def _leads_on(text: str) -> bool:
    return any(word in text for word in (" dnat ", " redirect", "-j DNAT", "-j REDIRECT", " passes it on to "))


def _doubt(one: Reached) -> str:
    assert one.way is not None  # noqa: S101
    if one.way.conditions:
        return f"it depends on: {'; '.join(one.way.conditions[:3])}"
    if one.way.routed:
        address = address_text(one.way.address)
        if one.way.address.is_loopback:
            return f"only a neighbour who sends packets for {address} to this machine on purpose gets in"
        return f"only who sends packets for {address} by way of this machine"
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
    near_by = next((each for each in one.reached if each.origin.kind is From.MACHINE), None)
    local = None if near_by is None else near_by.way
    forwarded = socket.protocol is Protocol.TCP and (near_by is None or near_by.answer is not Answer.NO)
    inner = (
        endpoint_text(local.address, local.port) if local is not None else endpoint_text(socket.address, socket.port)
    )
    container = _container(one.listener)
    near = socket.port if socket.port >= 1024 else socket.port + 8000  # which needs no rights on the other machine
    if forwarded:  # by a program of this machine, which has to get there itself
        port = "" if sshd in (None, 22) else f"-p {sshd} "
        missing = "" if sshd is not None else "; no SSH server listens here yet (Debian: apt install openssh-server)"
        yield Advice(
            kind="tunnel",
            text=f"ssh {port}-N -L {near}:{inner} {user}@{there}",
            is_command=True,
            risk=f"type it on the other machine and use 127.0.0.1:{near} there: only who may log in here gets through, "
            f"for as long as it runs{missing}",
        )
    if container is not None and one.netns is not None and not published:
        engine = container.engine if container.engine in ("podman", "docker") else "podman"
        yield Advice(
            kind="publish",
            text=f"start it anew, with -p {near}:{socket.port} in {engine} run … {container.image or 'IMAGE'}",
            is_command=False,
            risk=f"everybody who reaches this machine gets in; -p 127.0.0.1:{near}:{socket.port} keeps it here",
        )
    elif socket.address.is_loopback:
        yield _bind(one.listener, there if one.netns is None else "0.0.0.0")  # noqa: S104  # the container's, not ours
    blocked = next((each for each in others(one) if _blocked(each)), None)
    if blocked is not None and (container is None or published):
        yield _open(blocked, socket.protocol)
    if forwarded:
        yield Advice(
            kind="proxy",
            text=f"caddy reverse-proxy --from https://{there}:8443 --to {inner}",
            is_command=True,
            risk="everybody who reaches this machine gets in, with TLS (browsers warn of caddy's own certificate); "
            "have the proxy ask for a password",
        )


def _bind(listener: Listener, there: str) -> Advice:
    """Another bind address: in the command line, if it is there."""
    for owner in listener.owners:
        words = owner.process.cmdline or ()
        for number, one in enumerate(words):
            for name in _LOOPBACK_NAMES:
                if one == name or one.endswith(f"={name}") or one.startswith(f"{name}:"):
                    changed = one.replace(name, there)
                    text = f"restart it with {changed!r} instead of {one!r} (argument {number} of its command line)"
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


def _open(one: Reached, protocol: Protocol) -> Advice:
    """A command that lets the clients of an origin through, where the rule that stops them is one that can be told."""
    stop = None if one.way is None else one.way.stop
    network = None if one.way is None else next(
        (each for each in one.origin.networks if each.version == one.way.address.version), None
    )  # fmt: skip
    command = None if stop is None or network is None else opening(stop, network, protocol.value)
    if command is None:
        return Advice(
            kind="firewall",
            text=f"let it through before this rule: {_blocked(one)}",
            is_command=False,
            risk="opens the port to everybody on that side; name the sources you mean in the rule",
        )
    return Advice(
        kind="firewall",
        text=command,
        is_command=True,
        risk=f"everybody in {network} gets in; another rule may stop them yet: look again with homeport reach",
    )


def opening(stop: Stop, network: IPNetwork, protocol: str) -> str | None:
    """What to type to put a rule before the one that stops; None where that is not the place to do so."""
    if not stop.own or stop.hook is not Hook.INPUT:
        return None
    if stop.manager == "ufw":
        return f"ufw prepend allow from {network} to any port {stop.port} proto {protocol}"
    if stop.manager == "firewalld":
        source = f"rule family=ipv{network.version} source address={network}"
        return f"firewall-cmd --add-rich-rule='{source} port port={stop.port} protocol={protocol} accept'"
    family, table, chain = (word(one) for one in stop.place)
    if stop.program.endswith("-save"):
        before = f"-A {chain}" if stop.number is None else f"-I {chain} {stop.number}"
        which = "" if table == "filter" else f"-t {table} "
        tool = stop.program.removesuffix("-save")
        return f"{tool} {which}{before} -s {network} -p {protocol} --dport {stop.port} -j ACCEPT"
    if stop.number is not None and stop.handle is None:
        return None
    verb, where = ("add", "") if stop.handle is None else ("insert", f" handle {stop.handle}")
    rule = f"{'ip' if network.version == 4 else 'ip6'} saddr {network} {protocol} dport {stop.port} accept"
    return f"nft {verb} rule {family} {table} {chain}{where} {rule}"


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
