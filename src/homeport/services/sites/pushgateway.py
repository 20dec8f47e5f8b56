"""Prometheus Pushgateway: its page, and /api/v1/status."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Pushgateway",
    body(r"<title>Prometheus Pushgateway</title>", r'href="[\w./-]{0,60}static/prometheus\.css'),
    fields(
        {"data.build_information.version": ".+", "data.flags": r"\{\}"},
        "data.build_information.version",
        at="/api/v1/status",
    ),
    programs=("pushgateway", "prometheus-pushgateway", "prometheus-push"),
    page="/api/v1/status",
)
