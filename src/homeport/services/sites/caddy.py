"""Caddy: the header Server, or Via where it stands in front of another server. It tells no version."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header, server

SITE = entry("Caddy", server("Caddy"), header("via", r"\bCaddy\b"), programs=("caddy",))
