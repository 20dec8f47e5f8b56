"""Squid: the header of its own error pages, and Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header, server

SITE = entry("Squid", server("squid"), header("x-squid-error"), programs=("squid",))
