"""Compose files (compose-spec): what is published, and commands."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind, lines_after

KIND = Kind(
    name="compose",
    files=("compose.y*ml", "compose.*.y*ml", "docker-compose*.y*ml", "podman-compose*.y*ml"),
    explicit=(
        rf"(?:^-\s*|\bports\s*:\s*\[.{{0,200}}?)[\"']?(?:[\d.]+:|\[[^\]]*\]:)?{NUMBER}(?:-\d+)?:\d",
        rf"^-\s*[\"']?(?:[\d.]+:|\[[^\]]*\]:)?\$\{{\w+:?-{NUMBER}\}}:\d",
        rf"published\s*:\s*[\"']?{NUMBER}",
        rf"^[\"']?[\w.\-]*port[\"']?\s*:\s*[\"']?{NUMBER}",
    ),
    zero=False,
    includes=lines_after(
        r"^\s*env_file\s*:\s*([^\s\[{#][^\n#]*)", r"^\s*-\s+path\s*:\s*(\S+)", r"^\s*file\s*:\s*(\S+)"
    ),
)
