"""NiceGUI: its header; the addresses of its scripts tell the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "NiceGUI",
    header("x-nicegui-content"),
    version=body(r'="/_nicegui/(?P<version>\d[\w.]{0,20})/static/'),
)
