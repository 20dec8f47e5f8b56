"""OpenSearch Dashboards: headers of its own; /api/status tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields, header

SITE = entry(
    "OpenSearch Dashboards",
    header("osd-name"),
    version=fields({"version.number": r"\d.*"}, "version.number", at="/api/status"),
    page="/api/status",
    private=("/",),
)
