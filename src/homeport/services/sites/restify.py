"""restify: the header Server, unless the program has a name of its own."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("restify", server("restify"))
