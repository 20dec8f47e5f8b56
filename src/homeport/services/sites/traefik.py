"""Traefik: /api/version, and the page of its dashboard. Where it answers 404 itself it says nothing of its own.
https://doc.traefik.io/traefik/operations/api/
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields, header

SITE = entry(
    "Traefik",
    fields({"Version": ".+", "Codename": ".+", "startDate": r"\d{4}-.*"}, "Version", at="/api/version"),
    body(
        r"<title>Traefik(?: Proxy)?</title>", r'<meta\s{1,9}name="?description"?\s{1,9}content="Traefik (?:UI|Proxy)"'
    ),
    programs=("traefik",),
    page="/api/version",
    when=header("location", "^(?:https?://[^/]{1,255})?/dashboard/$"),
    private=("/api/version",),
)
