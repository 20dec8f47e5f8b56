"""The dashboard of Ray: whoever reaches it can start jobs."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Ray dashboard",
    body(r"<title>Ray Dashboard</title>", r'src="\./static/js/main\.'),
    fields({"ray_version": ".+", "ray_commit": ".*"}, "ray_version", at="/api/version"),
    page="/api/version",
    private=("/api/version",),
)
