"""ZooKeeper's four letter words: `srvr`, which is always allowed, or its own words that it has no quorum."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import line, quoted, text

_VERSION = re.compile(rb"\AZookeeper version: (\d[\w.]*(?:-(?:alpha|beta|rc)[\w.]*)?)")
_MODE = re.compile(rb"(?m)^Mode: (\w+)$")
_NOT_SERVING = b"This ZooKeeper instance is not currently serving requests"


def ask(conversation: Conversation) -> Match | None:
    """Ask how the server is."""
    conversation.send(b"srvr")
    answer = conversation.receive(lambda data: b"\nNode count:" in data or (line(data) and not _VERSION.match(data)))
    evidence = f"it answers srvr with {quoted(answer)}"
    found = _VERSION.match(answer)
    if found:
        mode = _MODE.search(answer)
        return Match("zookeeper", "ZooKeeper", text(found[1]), evidence, (("mode", text(mode[1])),) if mode else ())
    return Match("zookeeper", "ZooKeeper", None, evidence) if answer.startswith(_NOT_SERVING) else None


SPEAKER = Speaker("zookeeper", ports=(2181, 2182), programs=("zookeeper*", "quorumpeermain"), ask=ask)
