"""Prometheus: its page, and /api/v1/status/buildinfo."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields, header

SITE = entry(
    "Prometheus",
    body(
        r"<title>Prometheus Time Series Collection and Processing Server</title>",
        r"\bGLOBAL_(?:CONSOLES_LINK|LOOKBACKDELTA|AGENT_MODE) ?=|\bPATH_PREFIX ?=",
    ),
    fields(
        {"status": "success", "data.version": ".+", "data.buildUser": ".*", "data.goVersion": "go.*"},
        "data.version",
        at="/api/v1/status/buildinfo",
    ),
    programs=("prometheus",),
    page="/api/v1/status/buildinfo",
    when=header("location", r"^/(?:classic/)?(?:graph|query)$"),
    private=("/api/v1/status/buildinfo",),
)
