"""Java's debug port (JDWP): known by the JVM's option and never dialled.

The handshake attaches a debugger: a JVM that was started with suspend=y, and waits for the real one, runs off as soon
as that connection ends, and nobody else can attach as long as it lasts. A connection that says anything else, or
nothing, is a "Debugger failed to attach" in the program's output. (Seen with OpenJDK 17.)
"""

from __future__ import annotations

import re

from homeport.services.kind import Clues, Match, Speaker

_OPTION = re.compile(r"\A-(?:agentlib:jdwp=|Xrunjdwp:)(.+)\Z")


def fragile(clues: Clues) -> Match | None:
    """Recognise the option that opens this very port."""
    for word in (word for command in clues.commands for word in command):
        found = _OPTION.match(word)
        options = dict(option.partition("=")[::2] for option in found[1].split(",")) if found else {}
        port = options.get("address", "").rpartition(":")[2]
        if found and options.get("server") == "y" and port == str(clues.port):
            suspended = (("suspended at start", "yes" if options.get("suspend", "y") == "y" else "no"),)
            return Match("jdwp", None, None, f"its JVM was started with {word[:120]}", suspended)
    return None


SPEAKER = Speaker("jdwp", ports=(5005,), programs=("jdwp",), fragile=fragile)
