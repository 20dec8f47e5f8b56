"""Git's daemon (gitprotocol-pack(5)): a repository that does not exist is refused in a pkt-line."""

from __future__ import annotations

import re

from homeport.services.kind import Conversation, Match, Speaker
from homeport.services.speakers.parsing import quoted

_COMMAND = b"git-upload-pack /no-such-repository-homeport\0host=localhost\0"
_REQUEST = b"%04x" % (len(_COMMAND) + 4) + _COMMAND
_ERROR = re.compile(rb"\A([0-9a-f]{4})ERR [ -~]{1,300}\n?\Z")


def ask(conversation: Conversation) -> Match | None:
    """Ask for a repository that nobody has."""
    conversation.send(_REQUEST)
    answer = conversation.receive(_whole)
    found = _ERROR.match(answer)
    if not found or int(found[1], 16) != len(answer):
        return None
    return Match("git", None, None, f"it answers git-upload-pack with {quoted(answer[4:])}")


def _whole(data: bytes) -> bool:
    size = re.match(rb"[0-9a-f]{4}", data)
    return len(data) >= int(size[0], 16) if size else len(data) >= 4


SPEAKER = Speaker("git", ports=(9418,), programs=("git", "git-daemon"), ask=ask, only_with_clue=True)
