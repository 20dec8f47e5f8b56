"""LocalAI: /version, in its own form, with the commit."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "LocalAI",
    body(r'\A\{"version": ?"(?P<version>v\d[\w.-]{0,30}) \([0-9a-f]{40}\)"\}\s?\Z', at="/version"),
    programs=("local-ai", "localai"),
    page="/version",
)
