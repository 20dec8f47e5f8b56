"""uvicorn: the header Server; it tells no version."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("uvicorn", server("uvicorn"), programs=("uvicorn",))
