"""Directus: its header."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Directus", header("x-powered-by", "^Directus$"))
