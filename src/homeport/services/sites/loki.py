"""Grafana Loki: its own page of the build."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields

SITE = entry(
    "Grafana Loki",
    fields({"version": ".+", "revision": ".*", "goVersion": "go.*"}, "version", at="/loki/api/v1/status/buildinfo"),
    ports=(3100,),
    programs=("loki",),
    page="/loki/api/v1/status/buildinfo",
)
