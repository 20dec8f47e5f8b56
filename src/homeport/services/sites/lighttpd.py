"""lighttpd: the header Server (server.tag)."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("lighttpd", server("lighttpd"), programs=("lighttpd", "lighttpd-*"))
