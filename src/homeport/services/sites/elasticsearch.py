"""Elasticsearch: its first page, and a header of its own."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields, header

SITE = entry(
    "Elasticsearch",
    fields({"tagline": "You Know, for Search", "version.number": ".+"}, "version.number"),
    header("x-elastic-product", "^Elasticsearch$"),
    private=("/",),
)
