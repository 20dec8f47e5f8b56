"""The speakers on what real servers said (`recordings/`, made by `record.py`), on near misses, and on anything."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeport.model.addresses import Protocol
from homeport.services.kind import Clues, Match, Speaker
from homeport.services.speakers import SPEAKERS

RECORDINGS = Path(__file__).parent / "recordings"
ASKING = [speaker for speaker in SPEAKERS if speaker.ask]
REPLYING = [speaker for speaker in SPEAKERS if speaker.reply]


class Conversation:
    """A peer that says `answers` one by one, whatever it hears."""

    def __init__(self, answers: Iterable[bytes]) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []
        self.waited = False

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def receive(self, complete: Callable[[bytes], bool] | None = None) -> bytes:
        answer = self.answers.pop(0) if self.answers else b""
        if complete is not None and not complete(answer):
            self.waited = True
        return answer


@dataclass(frozen=True)
class Recording:
    """What is in a file: whose speaker it is, what is to come out, who said what."""

    name: str
    speaker: Speaker
    match: Match
    greeting: bytes | None
    sent: list[bytes]
    received: list[bytes]
    closes: bool


def read(path: Path) -> Recording:
    told: dict[str, str] = {}
    facts: list[tuple[str, str]] = []
    said: list[tuple[str, bytes]] = []
    for line in path.read_text().splitlines():
        word, _, rest = line.partition(" ")
        if word in "<>":
            said.append((word, ast.literal_eval(rest)))
        elif word == "fact":
            name, _, value = rest.partition(" = ")
            facts.append((name, value))
        elif word != "#":
            told[word] = rest
    udp = told["speaker"].endswith("/udp")
    speaker = next(
        speaker
        for speaker in SPEAKERS
        if speaker.name == told["speaker"].removesuffix("/udp") and (speaker.transport is Protocol.UDP) == udp
    )
    greeting = said.pop(0)[1] if said[0][0] == "<" else None
    return Recording(
        path.stem,
        speaker,
        Match(told["protocol"], told.get("product"), told.get("version"), told["evidence"], tuple(facts)),
        greeting,
        [data for side, data in said if side == ">"],
        [data for side, data in said if side == "<"],
        "closes" in told,
    )


ALL = [read(path) for path in sorted(RECORDINGS.glob("*.txt"))]


def heard(speaker: Speaker, greeting: bytes | None, conversation: Conversation) -> Match | None:
    """As the engine does: what is said unasked, then a reply to it; or else a question."""
    if greeting is None:
        return speaker.ask(conversation) if speaker.ask else None
    match = speaker.greeting(greeting) if speaker.greeting else None
    return match or (speaker.reply(greeting, conversation) if speaker.reply else None)


@pytest.mark.parametrize("recording", ALL, ids=lambda recording: recording.name)
def test_what_real_servers_say_is_recognised(recording: Recording) -> None:
    conversation = Conversation(recording.received)
    assert heard(recording.speaker, recording.greeting, conversation) == recording.match
    assert conversation.sent == recording.sent
    assert recording.closes or not conversation.waited, "an answer that is whole, and yet more is waited for"


@pytest.mark.parametrize("recording", ALL, ids=lambda recording: recording.name)
def test_nobody_else_takes_it_for_theirs(recording: Recording) -> None:
    first = recording.greeting if recording.greeting is not None else recording.received[0]
    for speaker in SPEAKERS:
        found = [speaker.greeting(first) if speaker.greeting else None]
        found.append(speaker.ask(Conversation(recording.received)) if speaker.ask else None)
        if speaker.reply and recording.greeting is not None:
            found.append(speaker.reply(recording.greeting, Conversation(recording.received)))
        assert {match.protocol for match in found if match} <= {recording.match.protocol}, speaker.name


class Drip(Conversation):
    """The same peer, whose bytes come one by one."""

    def receive(self, complete: Callable[[bytes], bool] | None = None) -> bytes:
        data = b""
        while self.answers:
            first = self.answers[0]
            data, self.answers[0] = data + first[:1], first[1:]
            if not self.answers[0]:
                self.answers.pop(0)
            if complete is None or complete(data):
                break
        return data


@pytest.mark.parametrize(
    "recording", [each for each in ALL if each.speaker.transport is Protocol.TCP], ids=lambda recording: recording.name
)
def test_answers_that_drip_are_recognised_as_well(recording: Recording) -> None:
    match = heard(recording.speaker, recording.greeting, Drip(recording.received))
    assert match and (match.protocol, match.product) == (recording.match.protocol, recording.match.product)
    assert match.version == recording.match.version


def test_every_speaker_has_a_recording() -> None:
    recorded = {(recording.speaker.name, recording.speaker.transport) for recording in ALL}
    talking = {(each.name, each.transport) for each in SPEAKERS if each.greeting or each.ask}
    assert talking - recorded == set()


def test_every_protocol_is_documented() -> None:
    table = (Path(__file__).parents[3] / "docs" / "services.md").read_text().partition("## Protocols")[2]
    names = re.findall(r"[\w/-]+", " ".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| ")))
    assert {speaker.name for speaker in SPEAKERS} <= set(names)


def test_names_are_one_for_each_transport_and_each_speaker_can_do_something() -> None:
    counts = Counter((speaker.name, speaker.transport) for speaker in SPEAKERS)
    assert max(counts.values()) == 1
    for speaker in SPEAKERS:
        assert speaker.greeting or speaker.ask or speaker.fragile, speaker.name
        assert speaker.transport is Protocol.TCP or not (speaker.greeting or speaker.reply), speaker.name


HTTP_400 = (
    b"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: 28\r\n"
    b"Connection: close\r\n\r\n<html>400 Bad Request</html>"
)
NOT_THEIRS = [
    HTTP_400,
    b"HTTP/1.0 404 Not Found\r\n\r\nPort of call\r\n",
    b"welcome, this host runs SSH-2.0-OpenSSH_9.2 and more\r\n",
    b"-SSH-2.0-OpenSSH_9.2\r\n",
    b"SSH-3.0-Future\r\n",
    b"PONG\r\n",
    b"+PONG to you too\r\n",
    b"-ERR unknown command\r\n",
    b"220\r\n",
    b"220 ready\r\n",
    b"220 ftp.example.org ready\r\n",
    b"220 smtp.example.org ready\r\n",
    b"220 the-ftp ready; no-smtp here\r\n",
    b"220 mail server\r\n",
    b"220 mail and ftp.example.org ESMTP FTP server\r\n",
    b"+OK\r\n",
    b"+OK 5 jobs\r\n",
    b"* OK\r\n",
    b"* OKAY then\r\n",
    b"OK\r\n",
    b"OK 0\r\n",
    b"ERROR\r\n",
    b"VERSION\r\n",
    b"INFO\r\n",
    b'INFO {"version": "1"}\r\n',
    b"INFO " + b"[" * 5000 + b"\r\n",
    b"RFB 003.008 is what I would say\n"[:11] + b"!",
    b"@RSYNCD: please\n",
    b"500 Unknown command\r\n",
    b"Content-Length: 2\r\n\r\n{}",
    b'Content-Length: 36\r\n\r\n{"type": "event", "event": "stopped"}',
    b"N" * 5,
    b"SN",
    b"\x05",
    b"\x05\x02",
    b"\x05\x00\x00",
    b"AMQP",
    b"AMQP\0\0\0\0",
    b"\xff" * 64,
    b"\0" * 64,
    b"\x15\x03\x01\x00\x02\x02\x28",
    b"\x15\x03\x03\x00\x02\x02\x46",
    b"\xff\xfd\x18",
    b"\0\0\0\0",
    b"{}",
    b"Escape character is '^]'.\r\nlogin: ",
    b":server NOTICE\r\n",
    b"OKAY",
    b"OKAY0004zzzz",
    b"RES\0",
    b"Zookeeper version\n",
    b"\x4e\0\0\0\0\0\0",
]


@pytest.mark.parametrize("said", NOT_THEIRS, ids=repr)
def test_near_misses_are_nothing(said: bytes) -> None:
    for speaker in SPEAKERS:
        if speaker.greeting:
            assert speaker.greeting(said) is None, speaker.name
        if speaker.ask:
            assert speaker.ask(Conversation([said] * 4)) is None, speaker.name
        if speaker.reply:
            assert speaker.reply(said, Conversation([said] * 4)) is None, speaker.name


class Echo(Conversation):
    """A peer that says what it hears."""

    def __init__(self) -> None:
        super().__init__([])

    def send(self, data: bytes) -> None:
        super().send(data)
        self.answers.append(data)


@pytest.mark.parametrize("speaker", ASKING, ids=lambda speaker: f"{speaker.name}-{speaker.transport}")
def test_an_echo_is_no_service(speaker: Speaker) -> None:
    echo = Echo()
    assert speaker.ask is not None
    assert speaker.ask(echo) is None
    assert len(echo.sent) <= 2 and sum(map(len, echo.sent)) <= 1200


@pytest.mark.parametrize("speaker", ASKING, ids=lambda speaker: f"{speaker.name}-{speaker.transport}")
@pytest.mark.parametrize("said", [HTTP_400, HTTP_400[:60] + b"\n"], ids=["a page", "its beginning"])
def test_nobody_waits_for_more_of_an_answer_in_http(speaker: Speaker, said: bytes) -> None:
    conversation = Conversation([said])
    assert speaker.ask is not None
    assert speaker.ask(conversation) is None
    assert not conversation.waited


@pytest.mark.parametrize("speaker", ASKING, ids=lambda speaker: f"{speaker.name}-{speaker.transport}")
def test_silence_proves_nothing_and_nothing_more_is_said_to_it(speaker: Speaker) -> None:
    conversation = Conversation([])
    assert speaker.ask is not None
    assert speaker.ask(conversation) is None
    assert 1 <= len(conversation.sent) <= 2


@pytest.mark.parametrize("speaker", REPLYING, ids=lambda speaker: speaker.name)
@pytest.mark.parametrize("said", [b"", b"hello\r\n", b"SSH-2.0-x\r\n", HTTP_400, b"\xff\xfd\x18\xff\xfd\x20"], ids=repr)
def test_a_greeting_that_cannot_be_theirs_is_not_replied_to(speaker: Speaker, said: bytes) -> None:
    conversation = Conversation([b"250 OK\r\n"])
    assert speaker.reply is not None
    assert speaker.reply(said, conversation) is None
    assert conversation.sent == []


def changed(recording: Recording) -> st.SearchStrategy[list[bytes]]:
    """What was said, with bytes cut off, put in, or overwritten."""

    def change(data: bytes) -> st.SearchStrategy[bytes]:
        place = st.integers(0, len(data))
        return st.builds(
            lambda at, skip, new: data[:at] + new + data[min(at + skip, len(data)) :],
            place,
            st.integers(0, 300),
            st.binary(max_size=12),
        )

    said = ([recording.greeting] if recording.greeting is not None else []) + recording.received
    return st.tuples(*(st.one_of(st.just(data), change(data)) for data in said)).map(list)


ANYTHING = st.one_of(st.lists(st.binary(max_size=300), max_size=4), st.sampled_from(ALL).flatmap(changed))


@settings(deadline=None)
@given(ANYTHING)
def test_no_bytes_raise(said: list[bytes]) -> None:
    for speaker in SPEAKERS:
        matches = []
        if speaker.greeting and said:
            matches.append(speaker.greeting(said[0]))
        if speaker.ask:
            matches.append(speaker.ask(Conversation(said)))
        if speaker.reply and said:
            matches.append(speaker.reply(said[0], Conversation(said[1:])))
        for match in matches:
            assert match is None or (match.protocol and len(match.evidence) < 400)


@given(st.integers(0, 65535), st.lists(st.lists(st.text(max_size=40), max_size=6).map(tuple), max_size=3).map(tuple))
def test_no_command_line_raises(port: int, commands: tuple[tuple[str, ...], ...]) -> None:
    for speaker in SPEAKERS:
        if speaker.fragile:
            speaker.fragile(Clues(port, (), commands))
