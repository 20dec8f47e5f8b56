"""Granian: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Granian", server("granian"), programs=("granian",))
