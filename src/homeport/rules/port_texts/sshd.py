"""OpenSSH's sshd_config(5): `Port`, `ListenAddress`, `Include`."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind, lines_after

KIND = Kind(
    name="sshd",
    files=("sshd_config", "*/sshd_config.d/*"),
    explicit=(rf"^Port\s+{NUMBER}", rf"^ListenAddress\s+\S*:{NUMBER}"),
    zero=False,
    includes=lines_after(r"^\s*Include\s+(\S+)"),
)
