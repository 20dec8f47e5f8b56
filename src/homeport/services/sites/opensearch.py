"""OpenSearch: its first page, or the realm by which it refuses it."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields, header

SITE = entry(
    "OpenSearch",
    fields({"tagline": "The OpenSearch Project: .*", "version.number": ".+"}, "version.number"),
    fields({"version.distribution": "opensearch", "version.number": ".+"}, "version.number"),
    header("www-authenticate", r'realm="OpenSearch Security"'),
    private=("/",),
)
