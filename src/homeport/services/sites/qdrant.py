"""Qdrant: its first page."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields

SITE = entry(
    "Qdrant",
    fields({"title": "qdrant - vector search engine", "version": ".+"}, "version"),
    programs=("qdrant",),
)
