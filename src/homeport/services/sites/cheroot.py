"""Cheroot, the server of CherryPy, by itself: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Cheroot", server("Cheroot"))
