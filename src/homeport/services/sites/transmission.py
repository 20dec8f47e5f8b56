"""Transmission: the header Server, or that of its session."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header, server

SITE = entry(
    "Transmission",
    server("Transmission"),
    header("x-transmission-session-id"),
    programs=("transmission-*",),
    private=("/transmission/web/",),
)
