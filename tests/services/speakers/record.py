"""Records what a real server says to a speaker: `record.py NAME PORT "what the server is"` prints a recording.

A recording is a text: the expected match, and the bytes of each side as Python writes them (`<` from the server, `>` to
it). Comments say which server it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from ipaddress import ip_address

from homeport.model.dialling import Failure, Target
from homeport.services.kind import Match, Speaker
from homeport.services.speakers import SPEAKERS
from homeport.system.dialling import Connection, dial

SECONDS = 2.0
LISTENING = 0.4


class Recorder:
    """A conversation that notes both sides."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.lines: list[str] = []

    def send(self, data: bytes) -> None:
        self.lines.append(f"> {data!r}")
        self.connection.send(data)

    def receive(self, complete: Callable[[bytes], bool] | None = None) -> bytes:
        data = self.connection.receive(complete)
        self.lines.append(f"< {data!r}")
        return data


def converse(speaker: Speaker, port: int) -> tuple[Match | None, list[str]]:
    """Greeting first, then what the speaker has to ask, as the engine does."""
    target = Target(ip_address("127.0.0.1"), port, speaker.transport)
    lines: list[str] = []
    if speaker.greeting or speaker.reply:
        connection = dial(target, SECONDS)
        if isinstance(connection, Failure):
            return None, [f"# {connection.detail}"]
        with connection:
            said = connection.receive(seconds=LISTENING)
            lines.append(f"< {said!r}")
            match = speaker.greeting(said) if speaker.greeting and said else None
            recorder = Recorder(connection)
            if match is None and speaker.reply and said:
                match = speaker.reply(said, recorder)
            if match or said:
                return match, lines + recorder.lines
    if speaker.ask is None:
        return None, lines
    connection = dial(target, SECONDS)
    if isinstance(connection, Failure):
        return None, [f"# {connection.detail}"]
    with connection:
        recorder = Recorder(connection)
        return speaker.ask(recorder), recorder.lines


def main() -> None:
    name, port, comment = sys.argv[1:]
    for speaker in SPEAKERS:
        if (speaker.name, speaker.transport) == (name.removesuffix("/udp"), "udp" if name.endswith("/udp") else "tcp"):
            match, lines = converse(speaker, int(port))
            print(f"# {comment}\nspeaker {name}")
            for word, value in match._asdict().items() if match else ():
                if word == "facts":
                    for key, fact in value:
                        print(f"fact {key} = {fact}")
                elif value is not None:
                    print(f"{word} {value}")
            print("\n".join(lines))


if __name__ == "__main__":
    main()
