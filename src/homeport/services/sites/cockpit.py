"""Cockpit: /ping says it; its page holds data of its own. It tells no version before the login."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Cockpit",
    fields({"service": "cockpit"}, at="/ping"),
    body(r"^var environment = \{", r'src="cockpit/static/login\.js"'),
    programs=("cockpit-ws", "cockpit-tls"),
)
