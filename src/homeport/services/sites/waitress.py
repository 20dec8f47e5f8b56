"""waitress: the header Server (its option ident)."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("waitress", server("waitress"), programs=("waitress-serve",))
