"""Which questions a listener is asked, in which order: by its owner and port first, by its own answers then.

Pure: `system.fingerprinting` asks them. The order is that of least harm and least time: listen; what the owner's
program suggests; what the port suggests; HTTP; TLS; then the protocols that may be asked of anybody.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from homeport.model.addresses import Protocol
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Process
from homeport.model.services import WIRE, Service
from homeport.model.snapshot import Listener
from homeport.rules.commands import INTERPRETERS, Command, base, read
from homeport.rules.ports import JETDIRECT
from homeport.services import programs
from homeport.services.kind import Clues, Match, Speaker, suits
from homeport.services.sites import APPLICATIONS, FRAMEWORKS, SERVERS
from homeport.services.speakers import SPEAKERS

LISTEN = 0.04
"""Seconds for which a peer may speak first; a local one does within milliseconds."""
LISTEN_LONGER = 0.6
"""The same where its program or port is one of a protocol in which the server speaks first: it may look up a name."""
PATIENCE = 0.1
"""Seconds to wait for the answer to a question that nothing suggests."""
SUGGESTED = 0.5
"""Seconds to wait where the program or the port suggests the protocol."""
PAGE = 0.5
"""Seconds to wait for a page."""
SLOW_PAGE = 1.0
"""The same of a program that makes pages."""

_TLS_PORTS = frozenset((443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 2376, 4443, 5061, 5671, 6443, 6697,
                        8443, 8883, 9443, 10250))  # fmt: skip
_SHORT = 16
"""Bytes of an answer that anybody may give to anything."""
_SERVERS = frozenset(one.name for one in SERVERS)
_INETD = frozenset(("systemd", "xinetd", "inetd", "init", "launchd"))
_IN_FRONT = frozenset(("nginx", "Apache httpd", "lighttpd", "Caddy", "HAProxy", "Varnish", "Squid", "Traefik", "Envoy"))
"""Servers that may stand in front of others, whose headers they hand on."""
_SAME = frozenset((("nginx", "OpenResty"), ("nginx", "Phusion Passenger")))
"""Program and product that are one, by different names."""
_RUNTIMES = (*INTERPRETERS, "bun", "deno", "dotnet", "beam.smp", "uvicorn", "gunicorn", "hypercorn")


class Step(StrEnum):
    """A kind of question."""

    ASK = "ask"
    HTTP = "http"
    TLS = "tls"


class Question(NamedTuple):
    """What to ask next, and for how many seconds an answer is waited for; `speaker` for ASK."""

    step: Step
    seconds: float
    speaker: Speaker | None = None


def clues(listener: Listener, options: tuple[str, ...] = (), others: tuple[Process, ...] = ()) -> Clues:
    """What is known of a listener; `options` are words that its owner got by JAVA_TOOL_OPTIONS.

    `others`: whose it may be, where nobody can be named.
    """
    names: dict[str, None] = {}
    commands = []
    holders = [(owner.process, owner.container) for owner in listener.owners]
    for process, container in (*holders, *((one, None) for one in others)):
        command = read(process)
        words = process.cmdline or ()
        image = container.image if container is not None else None
        found = [command.program, *((base(process.exe),) if process.exe else ()), process.name]
        if command.title is not None:
            found.append(command.title.split(":", 1)[0])
        if image:
            found.append(base(image).partition("@")[0].partition(":")[0])
        # a wrapper such as `/usr/bin/python3 /usr/bin/gunicorn`, or `java org.example.Main`
        found += [command.program.rpartition(".")[2]] if "." in command.program else []
        names |= dict.fromkeys(each.lower() for each in found if each)
        commands.append((*words, *options))
    return Clues(listener.socket.port, tuple(names), tuple(dict.fromkeys(commands)))


def known(found: Clues, protocol: Protocol = Protocol.TCP) -> Match | None:
    """What a listener is that is not to be dialled, since a connection would do harm; None: it may be."""
    for speaker in SPEAKERS:
        if speaker.fragile is not None and speaker.transport is protocol and (match := speaker.fragile(found)):
            return match
    return None


def spared(found: Clues) -> bool:
    """Whether it may be a printer's port: nothing is sent there unless the owner's program is known as another."""
    return found.port in JETDIRECT and not (_makes_pages(found.programs) or _speakers_of(found.programs))


def listening_time(found: Clues) -> float:
    """Seconds for which the peer may speak first."""
    first = [one for one in SPEAKERS if one.greeting is not None and one.ask is None and one.transport is Protocol.TCP]
    if any(one in first for one in _speakers_of(found.programs)):
        return LISTEN_LONGER
    unknown = not found.programs or _INETD.intersection(found.programs)
    return LISTEN_LONGER if unknown and any(found.port in one.ports for one in first) else LISTEN


def greeted(data: bytes, found: Clues) -> Match | None:
    """What the bytes prove that a peer said by itself; speakers that the clues suggest are heard first."""
    for speaker in _ordered(found, Protocol.TCP):
        if speaker.greeting is not None and (match := speaker.greeting(data)):
            return match
    return None


def unfinished(said: bytes) -> bool:
    """Whether a greeting is text in the middle of a line."""
    last = said.rpartition(b"\n")[2]
    return bool(last) and last.isascii() and last.decode("ascii").rstrip("\r").isprintable()


def repliers(found: Clues) -> tuple[Speaker, ...]:
    """Those that speak on with a peer whose greeting leaves it open."""
    return tuple(one for one in _ordered(found, Protocol.TCP) if one.reply is not None)


def questions(found: Clues, *, inside_tls: bool = False) -> tuple[Question, ...]:
    """What to ask a TCP listener that says nothing by itself, in this order."""
    by_program = [one for one in _speakers_of(found.programs) if _may_ask(one, Protocol.TCP)]
    by_port = [one for one in SPEAKERS if _may_ask(one, Protocol.TCP) and found.port in one.ports]
    pages = _makes_pages(found.programs)
    runtime = any(_is_runtime(name) for name in found.programs)
    http = Question(Step.HTTP, SLOW_PAGE if pages or runtime else PAGE)
    tls = () if inside_tls else (Question(Step.TLS, SUGGESTED),)
    first = [Question(Step.ASK, SUGGESTED, one) for one in by_program]
    second = [Question(Step.ASK, SUGGESTED, one) for one in by_port if one not in by_program]
    if not by_program and found.port in _TLS_PORTS:
        order = [*tls, *second, http]
    elif pages and not by_program:
        order = [http, *tls, *second]
    else:
        order = [*first, *second, http, *tls]
    asked = {one.speaker for one in order}
    rest = [one for one in SPEAKERS if _may_ask(one, Protocol.TCP) and not one.only_with_clue and one not in asked]
    return (*order, *(Question(Step.ASK, PATIENCE, one) for one in rest))


def http2_alone() -> tuple[Question, ...]:
    """What to ask a server that takes nothing but HTTP/2 in its TLS handshake."""
    return tuple(Question(Step.ASK, SUGGESTED, one) for one in SPEAKERS if one.name == "http/2")


def datagrams(found: Clues) -> tuple[Question, ...]:
    """What to ask a UDP socket."""
    some = []
    by_program = _speakers_of(found.programs)
    for speaker in _ordered(found, Protocol.UDP):
        suggested = speaker in by_program or found.port in speaker.ports
        if speaker.ask is not None and (suggested or not speaker.only_with_clue):
            some.append(Question(Step.ASK, SUGGESTED if suggested else PATIENCE, speaker))
    return tuple(some)


def hinted(said: bytes, rest: tuple[Question, ...]) -> tuple[Question, ...]:
    """The questions that are left, with those first that the answer to a wrong one suggests."""
    name = _hint(said)
    if name is None:
        return rest
    better = [one for one in rest if (one.speaker.name if one.speaker else one.step.value) == name]
    return (*(one._replace(seconds=SUGGESTED) for one in better), *(one for one in rest if one not in better))


def parrots(said: bytes, before: bytes) -> bool:
    """Whether a short text that would prove something is what the peer said to another question, too, once or more."""
    text = before.strip()
    return 0 < len(before) <= _SHORT and text.decode("latin-1").isprintable() and not said.replace(before, b"")


def after_silence(rest: tuple[Question, ...]) -> tuple[Question, ...]:
    """The questions that are left for a peer that kept a page's request without a word: TLS last.

    Who expects TLS sees at once that this is none, and closes, or says so (RFC 8446 §6.2).
    """
    tls = [one for one in rest if one.step is Step.TLS]
    return (*(one for one in rest if one.step is not Step.TLS), *tls)


def asks_for_tls(status: int, body: bytes) -> bool:
    """Whether a page is the refusal of a server that expected TLS there (nginx, Apache, Go, Node, Jetty …)."""
    return status in (400, 426, 497) and any(word in body for word in (b"HTTPS", b"https", b"SSL", b"TLS"))


def service(match: Match, command: Command | None, *, tls: bool = False) -> Service:
    """The result: what the bytes prove, and where they leave the product open, what the owner runs."""
    evidence = [Evidence(WIRE, match.evidence)]
    match = _in_front(match, command)
    product, confidence = match.product, Confidence.CERTAIN
    if product is None and command is not None and command.confidence is not Confidence.POSSIBLE:
        product = _product(match.protocol, command)
        if match.protocol == Step.TLS.value and len(some := programs.products(command.program)) == 1:
            product = some.pop()
        if product is not None:
            confidence = Confidence.LIKELY
            evidence.append(Evidence(command.evidence.source, f"the owner runs {command.evidence.text}"))
    return Service(match.protocol, product, match.version, tls, confidence, tuple(evidence), match.facts)


def _product(protocol: str, command: Command) -> str | None:
    """What a program is. An applet of BusyBox has the name of another program, and is none."""
    if base(command.path or "") == "busybox":
        return "BusyBox"
    return programs.product(protocol, command.program)


def _in_front(match: Match, command: Command | None) -> Match:
    """Without the name of a server behind the one that listens, which hands its header on: that one is a fact."""
    if match.product not in _SERVERS or command is None or command.confidence is not Confidence.CERTAIN:
        return match
    own = _product(match.protocol, command)
    if own not in _IN_FRONT or own == match.product or (own, match.product) in _SAME:
        return match
    behind = f"{match.product} {match.version}" if match.version else str(match.product)
    facts = dict(match.facts)
    facts["server"] = f"{behind}, {facts['server']}" if "server" in facts else behind
    return match._replace(product=None, version=None, facts=tuple(facts.items()))


def by_name(found: Clues, command: Command | None, protocol: Protocol) -> Service | None:
    """What only the owner's program says, where the peer said nothing.

    Likely where the port is usual for it too; possible of a program that makes pages, which may be slow to begin with.
    """
    if command is None or command.confidence is Confidence.POSSIBLE or base(command.path or "") == "busybox":
        return None
    name = command.program.lower()
    evidence = (Evidence(command.evidence.source, f"the owner runs {command.evidence.text}, which said nothing"),)
    for speaker in SPEAKERS if command.confidence is Confidence.CERTAIN else ():
        if speaker.transport is protocol and suits(speaker, Clues(found.port, (name,))) and found.port in speaker.ports:
            product = programs.product(speaker.name, name)
            return Service(speaker.name, product, None, False, Confidence.LIKELY, evidence)
    page = programs.product("http", name) if protocol is Protocol.TCP else None
    return None if page is None else Service("http", page, None, False, Confidence.POSSIBLE, evidence)


def _ordered(found: Clues, transport: Protocol) -> list[Speaker]:
    some = [one for one in SPEAKERS if one.transport is transport]
    by_program = _speakers_of(found.programs)
    return sorted(some, key=lambda one: 0 if one in by_program else 1 if found.port in one.ports else 2)


@lru_cache(maxsize=256)
def _speakers_of(names: tuple[str, ...]) -> tuple[Speaker, ...]:
    """Those that names of programs suggest, whatever the port: the same for all listeners of a process."""
    return tuple(one for one in SPEAKERS if suits(one, Clues(0, names)))


@lru_cache(maxsize=256)
def _makes_pages(names: tuple[str, ...]) -> bool:
    found = Clues(0, names)
    return any(suits(entry, found) for entry in (*APPLICATIONS, *FRAMEWORKS, *SERVERS))


def _may_ask(speaker: Speaker, transport: Protocol) -> bool:
    return speaker.ask is not None and speaker.transport is transport


def _is_runtime(name: str) -> bool:
    return name in _RUNTIMES or name.rstrip("0123456789.") in _RUNTIMES


def _hint(said: bytes) -> str | None:
    if said[:2] == b"\x15\x03":
        return Step.TLS.value
    if len(said) >= 9 and said[3:5] == b"\x04\0" and said[5:9] == bytes(4):
        return "http/2"
    if said.startswith((b"-ERR", b"-NOAUTH", b"-DENIED")):
        return "redis"
    if said.startswith(b"ERROR\r\n"):
        return "memcached"
    if said.startswith(b"UNKNOWN_COMMAND\r\n"):
        return "beanstalkd"
    if said.startswith(b"AMQP"):
        return "amqp"
    return None
