"""VNC (RFB, RFC 6143 §7.1.1): the server begins with its version. More is not asked.

TigerVNC and its kin count connections from which nobody logged in; after five they refuse everybody from that address
for a while. So a server that is known by its executable is not dialled. (Seen with TigerVNC 1.12.)
"""

from __future__ import annotations

import re
from itertools import pairwise

from homeport.services.kind import Clues, Match, Speaker
from homeport.services.speakers.parsing import quoted, text

_VERSION = re.compile(rb"\ARFB (\d{3})\.(\d{3})\n")
_COUNTING = {
    "xtigervnc": "TigerVNC",
    "x0tigervncserver": "TigerVNC",
    "x0vncserver": "TigerVNC",
    "xtightvnc": "TightVNC",
    "xrealvnc": "RealVNC",
    "xvnc": None,
}
_PORTS = range(5900, 6000)
_OPTION = re.compile(r"\A-{1,2}rfbport(?:=(\d+))?\Z")


def greeting(data: bytes) -> Match | None:
    """Recognise the version."""
    found = _VERSION.match(data)
    if not found:
        return None
    version = f"{int(text(found[1]))}.{int(text(found[2]))}"
    product = "Apple Remote Desktop" if version == "3.889" else None
    return Match("vnc", product, None, f"it greets with {quoted(data)}", (("protocol version", version),))


def fragile(clues: Clues) -> Match | None:
    """Recognise a server that counts, on the port of VNC that it was given or on a usual one."""
    for command in clues.commands:
        program = command[0].rpartition("/")[2].lower() if command else ""
        port = _port(command)
        if program in _COUNTING and (clues.port == port if port is not None else clues.port in _PORTS):
            return Match("vnc", _COUNTING[program], None, f"it was started as {program}")
    return None


def _port(command: tuple[str, ...]) -> int | None:
    """The number after -rfbport."""
    for word, following in pairwise((*command, "")):
        if found := _OPTION.match(word):
            number = found[1] or following
            return int(number) if number.isascii() and number.isdigit() and len(number) < 6 else None
    return None


SPEAKER = Speaker(
    "vnc", ports=(5900, 5901, 5902), programs=("*vnc*", "vino-server", "wayvnc"), greeting=greeting, fragile=fragile
)
