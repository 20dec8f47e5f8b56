"""Environment files: .env and its kin, systemd's EnvironmentFile, /etc/default."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind

KIND = Kind(
    name="environment",
    files=(".env", ".env.*", "*.env", ".flaskenv", ".envrc", "/etc/default/*"),
    explicit=(
        rf"^(?:export\s+)?\w{{0,60}}PORT\w{{0,60}}\s*=\s*[\"']?{NUMBER}[\"']?\s*(?:#.*)?$",
        rf"^(?:export\s+)?\w{{0,60}}(?:LISTEN|BIND|ADDR|HOST|URL|ENDPOINT|ORIGIN)\w{{0,60}}\s*=.*:{NUMBER}",
    ),
)
