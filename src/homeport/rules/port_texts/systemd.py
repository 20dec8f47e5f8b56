"""systemd units: `ListenStream`, `ListenDatagram` (systemd.socket(5)), commands and variables of services."""

from __future__ import annotations

from homeport.rules.port_texts.kind import ADDRESS, NUMBER, Kind, lines_after

KIND = Kind(
    name="systemd",
    files=("*.service", "*.socket", "*.service.d/*.conf", "*.socket.d/*.conf"),
    explicit=(rf"^Listen(?:Stream|Datagram|SequentialPacket)\s*=\s*{ADDRESS}{NUMBER}\s*$",),
    comments=("#", ";"),
    includes=lines_after(r"^EnvironmentFile\s*=\s*-?(\S+)"),
)
