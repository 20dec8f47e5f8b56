"""SonarQube: its page; /api/system/status."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "SonarQube",
    body(r"<title>SonarQube[^<\n]{0,60}</title>", r"window\.serverStatus ?= ?'|window\.instance ?= ?'SonarQube"),
    version=fields({"id": ".*", "version": r"\d.*", "status": "[A-Z_]+"}, "version", at="/api/system/status"),
    page="/api/system/status",
)
