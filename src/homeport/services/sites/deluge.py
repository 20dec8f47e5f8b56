"""Deluge: its page, which tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Deluge",
    body(r"<title>Deluge WebUI (?P<version>\d[\w.]{0,30})</title>", r'href="[\w./-]{0,60}/icons/deluge'),
    programs=("deluge-web",),
)
