"""Portainer: its page, and the status that it tells to everybody."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Portainer",
    fields({"Version": r"\d.*", "InstanceID": ".+"}, "Version"),
    body(r"<title>Portainer</title>", r'\bng-app="portainer"|\bng-app="?portainer\b'),
    programs=("portainer",),
    page="/api/system/status",
)
