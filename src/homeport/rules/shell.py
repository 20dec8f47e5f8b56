"""Commands that a person copies from an answer: what comes from outside of this program stands in them as one word."""

from __future__ import annotations

import re
import shlex

_PLAIN = re.compile(r"[\w@%+=:,./~\[\]…-]+")


def word(text: str) -> str:
    """`text` as one word of a shell, where it is to stand in a command: names and paths may come from anybody."""
    return text if _PLAIN.fullmatch(text) else shlex.quote(text)
