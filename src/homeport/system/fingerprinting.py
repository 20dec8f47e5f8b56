"""Finds out what speaks at listeners: asks what `services.engine` says, in threads, bounded in time and bytes.

One connection at a time for each listener, each closed before the next. Whatever a peer does, a listener costs at most
its share of time, and all of them together no more than the whole.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from homeport.model.addresses import Protocol
from homeport.model.dialling import Failing, Failure, Target
from homeport.model.services import Service
from homeport.rules.commands import Command
from homeport.services import engine
from homeport.services.engine import Question, Step
from homeport.services.kind import Answer, Clues, Match
from homeport.services.sites import site, wanted
from homeport.system.dialling import Connection, dial
from homeport.wire import http

AT_ONCE = 64
"""How many listeners are asked at a time."""
EACH = 1.2
"""Seconds that a listener may take, where there is time for that."""
_LEAST = 0.35
_GRACE = 0.5
"""Seconds for the last answers to be read."""
_FOLLOWING = 0.2
"""Seconds that a peer which began to speak may take to say more."""
_HEADERS = (("User-Agent", "homeport"), ("Accept", "*/*"), ("Connection", "close"))
_HTTP2 = ("h2",)
_REFUSED_ALPN = "no_application_protocol"
_MOST_HEARD = 1 << 12
_MOST_REDIALS = 30


class Suspect(NamedTuple):
    """A listener to be recognised: the addresses to dial, the better first; its clues, and what its owner runs."""

    targets: tuple[Target, ...]
    clues: Clues
    command: Command | None


class Finding(NamedTuple):
    """What became of one: `service` None where nothing proved anything; `limit` says what went wrong, in a line.

    `reached`: there was time to ask.
    """

    service: Service | None
    limit: str | None = None
    reached: bool = True


_NOT_REACHED = Finding(None, None, False)


def recognise(suspects: Sequence[Suspect], seconds: float) -> list[Finding]:
    """A finding for each, in their order, after `seconds` at most; a thread that is stuck then is left to itself."""
    until = time.monotonic() + seconds
    findings = [_NOT_REACHED] * len(suspects)
    waiting = iter(enumerate(suspects))
    lock = threading.Lock()

    def work() -> None:
        while (left := until - time.monotonic()) > 0:
            with lock:
                index, one = next(waiting, (-1, None))
            if one is None:
                return
            share = left * AT_ONCE / (len(suspects) - index)
            findings[index] = _safely(one, min(left, EACH, max(_LEAST, share)) if len(suspects) > 1 else left)

    threads: list[threading.Thread] = []
    try:
        for number in range(min(AT_ONCE, len(suspects))):
            thread = threading.Thread(target=work, name=f"homeport-services-{number}", daemon=True)
            thread.start()
            threads.append(thread)
    except RuntimeError:  # no more threads (RLIMIT_NPROC): those that there are do it, or else this one
        if not threads:
            work()
    for thread in threads:
        thread.join(max(0.0, until + _GRACE - time.monotonic()))
    return list(findings)


def _safely(one: Suspect, seconds: float) -> Finding:
    try:
        return _Inquiry(one, seconds).finding()
    except Exception as error:  # noqa: BLE001 (what one entry of the rack stumbles over must not take the others along)
        where = f"port {one.clues.port}"
        return Finding(None, f"{where}: its answer could not be read ({type(error).__name__}: {str(error)[:80]})")


class _Talk:
    """A connection as the rack sees it (`services.kind.Conversation`): bounded patience, and what was heard."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.heard = b""
        self.seconds = engine.PATIENCE

    @property
    def over(self) -> bool:
        """Whether nothing more can be asked on it."""
        return self.connection.ended or self.connection.failing is not None

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.connection.send(data)

    def receive(self, complete: Callable[[bytes], bool] | None = None) -> bytes:
        """What comes, as long as patience lasts."""
        data = self.connection.receive(complete, seconds=self.seconds)
        self.heard += data[: max(0, _MOST_HEARD - len(self.heard))]
        return data

    def close(self) -> None:
        """Close it."""
        self.connection.close()


class _Inquiry:
    """One listener."""

    def __init__(self, suspect: Suspect, seconds: float) -> None:
        self._suspect = suspect
        self._clues = suspect.clues
        self._until = time.monotonic() + seconds
        self._failure: Failure | None = None
        self._target = suspect.targets[0]
        self._tls = False
        self._alpn: tuple[str, ...] = ("http/1.1",)
        self._refused_plain = False
        self._redials = 0

    def finding(self) -> Finding:
        """Ask."""
        protocol = self._target.protocol
        match = self._by_datagrams() if protocol is Protocol.UDP else self._by_stream()
        if match is not None:
            return Finding(engine.service(match, self._suspect.command, tls=self._tls))
        service = engine.by_name(self._clues, self._suspect.command, protocol)
        return Finding(service, None if self._failure is None else self._complaint(self._failure))

    def _complaint(self, failure: Failure) -> str | None:
        """A line for what kept from asking; None where that is in the nature of things."""
        if failure.failing in (Failing.FORBIDDEN, Failing.NOT_THIS_MACHINE, Failing.EXHAUSTED):
            return f"port {self._clues.port} could not be asked: {failure.detail}"
        return None

    # UDP

    def _by_datagrams(self) -> Match | None:
        for question in engine.datagrams(self._clues):
            talk = self._open()
            if talk is None:
                return None
            try:
                match = self._ask(question, talk)
            finally:
                talk.close()
            if match is not None or talk.connection.failing is Failing.REFUSED:
                return match
        return None

    # TCP

    def _by_stream(self) -> Match | None:
        talk = self._open()
        if talk is None:
            return None
        try:
            talk.seconds = engine.listening_time(self._clues)
            said = talk.receive()
            if said:
                return self._of_greeting(said, talk)
            if talk.over:  # whoever it is meant for, it takes no questions from here
                return None
            return self._questioned(engine.questions(self._clues), talk)
        finally:
            talk.close()

    def _of_greeting(self, said: bytes, talk: _Talk) -> Match | None:
        """Hear a greeting to its end, and reply where it leaves it open."""
        talk.seconds = _FOLLOWING
        if engine.unfinished(said) and not talk.over:
            said += talk.receive(lambda more: b"\n" in more)
        match = engine.greeted(said, self._clues)
        if match is None and not talk.over:
            said += talk.receive(lambda more: engine.greeted(said + more, self._clues) is not None)
            match = engine.greeted(said, self._clues)
        for speaker in () if match is not None or talk.over else engine.repliers(self._clues):
            talk.seconds = engine.SUGGESTED
            if speaker.reply is not None and (match := speaker.reply(said, talk)):
                return match
            if talk.over:
                break
        return match

    def _questioned(self, questions: tuple[Question, ...], first: _Talk) -> Match | None:
        """Ask one after the other, each on a silent connection; `first` is one."""
        talk: _Talk | None = first
        before: list[bytes] = []
        while questions and time.monotonic() < self._until:
            question, questions = questions[0], questions[1:]
            if question.step is Step.TLS and self._tls:
                continue
            if talk is None or talk.over:
                if talk is not None:
                    talk.close()
                talk = self._open()
            if talk is None:
                return None
            try:
                match = self._put(question, talk)
                said, over = talk.heard, talk.over
            finally:
                talk.close()
                talk = None
            if match is not None and question.step is Step.ASK and any(engine.parrots(said, one) for one in before):
                continue  # it says that to everything
            before.append(said)
            if match is not None and not (self._refused_plain and not self._tls):
                return match
            if match is not None:
                return self._behind_tls() or match
            if said and (match := engine.greeted(said, self._clues)):
                return match  # it greeted late
            questions = engine.hinted(said, questions)
            if question.step is Step.HTTP and not said and not over:
                questions = engine.after_silence(questions)
        return None

    def _put(self, question: Question, talk: _Talk) -> Match | None:
        if question.step is Step.ASK:
            return self._ask(question, talk)
        return self._browse(question.seconds, talk) if question.step is Step.HTTP else self._behind_tls(talk)

    def _ask(self, question: Question, talk: _Talk) -> Match | None:
        talk.seconds = question.seconds
        speaker = question.speaker
        return speaker.ask(talk) if speaker is not None and speaker.ask is not None else None

    def _behind_tls(self, talk: _Talk | None = None) -> Match | None:
        """Speak TLS; inside of it, start again."""
        talk = talk or self._open()
        if talk is None:
            return None
        shown = self._shake(talk)
        if shown is None:
            talk.close()
            return None
        self._tls = True
        known = Match("tls", None, None, shown)
        if self._alpn == _HTTP2:
            talk.close()
            again = self._open()
            return known if again is None else self._questioned(engine.http2_alone(), again) or known
        if talk.over:
            talk.close()
            return known
        talk.seconds = engine.LISTEN if engine.listening_time(self._clues) == engine.LISTEN else engine.SUGGESTED
        said = talk.receive()
        if said:
            try:
                return self._of_greeting(said, talk) or known
            finally:
                talk.close()
        return self._questioned(engine.questions(self._clues, inside_tls=True), talk) or known

    def _shake(self, talk: _Talk) -> str | None:
        """What the handshake showed, in a line; None: no TLS."""
        shown = talk.connection.start_tls(
            server_name="localhost", alpn=self._alpn, verify=False, seconds=engine.SUGGESTED
        )
        if shown is None:
            return None
        if isinstance(shown, Failure):
            if _REFUSED_ALPN in shown.detail:
                self._alpn = _HTTP2
            return f"it speaks TLS: {shown.detail}" if shown.failing is Failing.ALERT else None
        subject = f", certificate of {shown.chain[0].subject}" if shown.chain else ""
        return f"it speaks {shown.version}{subject}"[:160]

    # HTTP

    def _browse(self, seconds: float, talk: _Talk) -> Match | None:
        """GET /, and what further pages promise to help."""
        first = self._page("/", seconds, talk)
        if first is None:
            return None
        if not self._tls and engine.asks_for_tls(first.status, first.body):
            self._refused_plain = True
            return site((first,), self._clues)
        answers = [first]
        talk.close()
        for target in wanted(first, self._clues):
            if time.monotonic() >= self._until:
                break
            other = self._open()
            if other is None:
                break
            try:
                answer = self._page(target, seconds, other)
            finally:
                other.close()
            if answer is not None:
                answers.append(answer)
        return site(tuple(answers), self._clues)

    def _page(self, target: str, seconds: float, talk: _Talk) -> Answer | None:
        name = f"localhost:{self._target.port}"
        talk.send(
            http.request("GET", target, name, (("User-Agent", "homeport"), ("Accept", "*/*"), ("Connection", "close")))
        )
        reader = http.Reader()
        until = min(self._until, time.monotonic() + seconds)
        while not reader.done and (left := until - time.monotonic()) > 0:
            talk.seconds = left
            data = talk.receive()
            if not data:
                break
            reader.feed(data)
        found = reader.response
        if found is None:
            return None
        return Answer(target, found.version.removeprefix("HTTP/"), found.status, found.headers, found.body)

    # connections

    def _open(self) -> _Talk | None:
        """A new connection, by the first address that takes one; inside of TLS where that is spoken here."""
        if self._redials > _MOST_REDIALS:
            return None
        self._redials += 1
        targets = (self._target,) if self._redials > 1 else self._suspect.targets
        for target in targets:
            found = dial(target, self._until - time.monotonic())
            if isinstance(found, Failure):
                self._failure = found
                continue
            self._target, self._failure = target, None
            talk = _Talk(found)
            if self._tls and self._shake(talk) is None:
                talk.close()
                return None
            return talk
        return None
