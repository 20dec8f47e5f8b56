"""The API of Docker's engine. Whoever reaches it owns the machine. https://docs.docker.com/reference/api/engine/"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields, header

SITE = entry(
    "Docker API",
    header("server", r"^Docker/(?P<version>\S{1,40}) \("),
    fields(
        {"ApiVersion": r"\d.*", "MinAPIVersion": r"\d.*", "GitCommit": ".*", "Version": ".+"}, "Version", at="/version"
    ),
    ports=(2375, 2376),
    programs=("dockerd",),
    page="/version",
    when=body(r'\A\{"message":"page not found"\}\s?\Z', failed=True),
    private=("/version",),
)
