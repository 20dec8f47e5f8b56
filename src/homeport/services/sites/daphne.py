"""Daphne, the ASGI server of Django Channels: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Daphne", server("daphne"), programs=("daphne",))
