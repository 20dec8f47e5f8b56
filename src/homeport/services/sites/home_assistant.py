"""Home Assistant: its page. It tells no version before the login."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Home Assistant",
    body(r"<title>Home Assistant</title>", r'<home-assistant>|id="?ha-launch-screen|/frontend_latest/'),
    programs=("hass", "homeassistant"),
)
