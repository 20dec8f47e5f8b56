"""Radicale: where its first page leads, in its own words."""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, status

SITE = entry(
    "Radicale",
    both(status(302), body(r"\ARedirected to /[\w/-]{0,60}\.web/?\Z")),
    body(r"<title>Radicale Web Interface</title>", r'<meta name="description"|src="fn\.js"'),
    programs=("radicale",),
)
