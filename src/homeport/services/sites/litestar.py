"""Litestar: its answer where there is no route, with the status first."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry("Litestar", body(r'\A\{"status_code":404,"detail":"Not Found"\}\Z', failed=True))
