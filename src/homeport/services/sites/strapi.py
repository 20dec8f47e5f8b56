"""Strapi: its header."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Strapi", header("x-powered-by", r"^Strapi <strapi\.io>$"))
