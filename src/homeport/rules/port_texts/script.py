"""Files of commands: shell scripts, Makefiles, Procfiles, Dockerfiles; and whatever is none of the others."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind

KIND = Kind(
    name="script",
    files=("*",),
    explicit=(
        rf"-p\s+[\"']?(?:[\d.]+:)?{NUMBER}:\d",
        rf"^(?:ENV|ARG)\s+\w{{0,40}}PORT\s+{NUMBER}",
        rf"^\w{{0,40}}port\w{{0,40}}\s*[:?+]?=\s*[\"']?{NUMBER}",
    ),
    comments=("#", "//", ";"),
)
