"""Superset: where its first page leads."""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, header, status

SITE = entry(
    "Superset",
    both(status(301, 302, 303, 307, 308), header("location", r"^(?:https?://[\w.:-]{1,100})?/superset/welcome/?$")),
    body(r"<title>Superset</title>", r"\bdata-bootstrap="),
    programs=("superset",),
    private=("/superset/welcome/",),
)
