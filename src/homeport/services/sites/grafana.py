"""Grafana: the data in its page, and /api/health.
https://grafana.com/docs/grafana/latest/developers/http_api/other/
"""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, fields, header

SITE = entry(
    "Grafana",
    body(r"window\.grafanaBootData ?=", r"<title>[^<\n]{0,100}</title>"),
    fields({"database": ".+", "version": ".+", "commit": ".+"}, "version", at="/api/health"),
    version=body(r'"buildInfo": ?\{[^}\n]{0,500}?"version": ?"(?P<version>\d[\w.+-]{0,30})"'),
    programs=("grafana", "grafana-server"),
    page="/api/health",
    when=both(header("location", r"^/(?:[\w-]{1,40}/)?login$"), header("x-frame-options", "^deny$")),
    private=("/",),
)
