"""Gogs: its cookie."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Gogs", header("set-cookie", r"^i_like_gogs="), programs=("gogs",))
