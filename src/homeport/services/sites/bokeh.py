"""Bokeh's server, by the page of an application of it."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Bokeh server",
    body(
        r"<title>[^<\n]{0,200}</title>",
        r'<script[^>\n]{0,60} src="[\w./-]{0,60}static/js/bokeh\.min\.js\?v=[0-9a-f]{32,128}"',
    ),
    programs=("bokeh",),
)
