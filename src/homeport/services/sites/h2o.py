"""H2O: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("H2O", server("h2o"), programs=("h2o",))
