"""Kestrel, the server of ASP.NET Core: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Kestrel", server("Kestrel"))
