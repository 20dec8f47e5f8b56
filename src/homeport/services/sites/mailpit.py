"""Mailpit: its page. (/api/v1/info would make it ask the network for a newer version.)"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Mailpit",
    body(r"<title>Mailpit</title>", r'href="?[\w./-]{0,60}dist/app\.css(?:\?(?P<version>v\d[\w.-]{0,30}))?"?'),
    programs=("mailpit",),
    private=("/",),
)
