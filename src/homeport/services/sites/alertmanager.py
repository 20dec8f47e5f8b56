"""Alertmanager: /api/v2/status; its page is a reason to look there."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Alertmanager",
    fields(
        {"cluster.status": ".*", "versionInfo.version": ".+", "versionInfo.goVersion": "go.*"},
        "versionInfo.version",
        at="/api/v2/status",
    ),
    programs=("alertmanager", "prometheus-alertmanager", "prometheus-aler"),
    page="/api/v2/status",
    when=body(r"<title>Alertmanager</title>"),
    private=("/api/v2/status",),
)
