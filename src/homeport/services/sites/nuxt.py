"""Nuxt, or what is built of its Nitro: a header of its own."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Nuxt", header("x-powered-by", "^Nuxt$"), programs=("nuxt", "nuxi"))
