"""Open WebUI: /api/config."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Open WebUI",
    fields(
        {"status": "true", "name": ".+", "version": r"\d.*", "features": r"\{\}", "oauth": r"\{\}"},
        "version",
        at="/api/config",
    ),
    programs=("open-webui",),
    page="/api/config",
    when=body(r"<title>Open WebUI</title>"),
)
