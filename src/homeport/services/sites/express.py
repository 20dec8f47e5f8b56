"""Express, by its header; it tells no version. Much is built of it, so it comes late."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Express", header("x-powered-by", "^Express$"))
