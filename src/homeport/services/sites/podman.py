"""The API of Podman (`podman system service`), which also speaks that of Docker."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "Podman API",
    header("server", r"^Libpod/(?P<version>\S{1,40}) \("),
    header("libpod-api-version", r"^(?P<version>\S{1,40})$"),
    programs=("podman",),
    page="/version",
    private=("/version",),
)
