"""debugpy, Python's debugger of the Debug Adapter Protocol: its adapter begins with an event that names it.

A program that was started with --wait-for-client cannot be attached to after a connection was closed early, so an
adapter that is known by its command line is not dialled.
"""

from __future__ import annotations

import json
import re

from homeport.services.kind import Clues, Match, Speaker
from homeport.services.speakers.parsing import forgiving, quoted, text

_HEADER = re.compile(rb"\AContent-Length: (\d{1,5})\r\n\r\n")
_NAMES = {"ptvsd": "debugpy", "debugpy": "debugpy"}


@forgiving
def greeting(data: bytes) -> Match | None:
    """Recognise the event."""
    header = _HEADER.match(data)
    if not header:
        return None
    body = data[header.end() : header.end() + int(header[1])]
    event = json.loads(body)
    if (event["type"], event["event"]) != ("event", "output") or event["body"]["category"] != "telemetry":
        return None
    product = _NAMES.get(event["body"]["output"])
    version = event["body"].get("data", {}).get("packageVersion") if product else None
    told = version if isinstance(version, str) else None
    return Match("dap", product, told, f"it begins with the event {quoted(text(body).encode())}")


def fragile(clues: Clues) -> Match | None:
    """Recognise the adapter, or the module, by its arguments."""
    for command in clues.commands:
        adapter = any(word.endswith(("debugpy/adapter", "debugpy/adapter/__main__.py")) for word in command)
        module = "debugpy" in command and "--listen" in command
        if (adapter or module) and any(re.search(rf"(?:\A|:){clues.port}\Z", word) for word in command):
            return Match("dap", "debugpy", None, "it is debugpy by its command line")
    return None


SPEAKER = Speaker("dap", ports=(5678,), programs=("debugpy*",), greeting=greeting, fragile=fragile)
