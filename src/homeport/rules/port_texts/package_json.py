"""package.json: scripts and settings of a Node.js project."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind

KIND = Kind(
    name="package.json",
    files=("package.json",),
    explicit=(rf"\"[\w\-]*port\"\s*:\s*\"?{NUMBER}",),
    comments=("//",),
)
