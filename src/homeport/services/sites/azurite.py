"""Azurite, which stands in for Azure's storage: the header Server, with the service."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Azurite", server("Azurite-(?:Blob|Queue|Table)"), programs=("azurite*",))
