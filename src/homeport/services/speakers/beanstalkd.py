"""beanstalkd (its doc/protocol.txt): `stats`."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import line, quoted, text

_OK = re.compile(rb"\AOK (\d{1,5})\r\n---\n")
_VERSION = re.compile(rb"(?m)^version: \"?([\w.+-]{1,40})\"?$")


def ask(conversation: Conversation) -> Match | None:
    """Ask for the statistics."""
    conversation.send(b"stats\r\n")
    answer = conversation.receive(_whole)
    version = _VERSION.search(answer)
    if not _OK.match(answer) or not version or b"\ncurrent-jobs-ready:" not in answer:
        return None
    return Match("beanstalkd", "beanstalkd", text(version[1]), f"it answers stats with {quoted(version[0])}")


def _whole(data: bytes) -> bool:
    size = _OK.match(data)
    return len(data) >= data.index(b"\n") + 1 + int(size[1]) + 2 if size else line(data) and not data.startswith(b"OK ")


SPEAKER = Speaker("beanstalkd", ports=(11300,), programs=("beanstalkd",), ask=ask)
