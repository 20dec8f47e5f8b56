"""Kibana: headers of its own; /api/status tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields, header

SITE = entry(
    "Kibana",
    header("kbn-name"),
    header("kbn-license-sig"),
    header("kbn-version", r"^(?P<version>\d[\w.-]{0,20})$"),
    version=fields({"version.number": r"\d.*"}, "version.number", at="/api/status"),
    page="/api/status",
    private=("/",),
)
