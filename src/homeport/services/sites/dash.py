"""Dash, of Plotly: the configuration in its page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Dash",
    body(r'<script id="_dash-config" type="application/json">', r'<div class="_dash-loading">|id="_dash-renderer"'),
)
