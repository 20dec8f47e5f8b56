"""LM Studio: how it refuses what it does not know."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "LM Studio", body(r'\A\{"error": ?"Unexpected endpoint or method\. \(GET /[^\s"]{0,100}\)[^"\n]{0,100}"\}\s?\Z')
)
