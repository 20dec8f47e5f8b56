"""NestJS: its answer where there is no route."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields

SITE = entry("NestJS", fields({"message": "Cannot GET /.*", "error": "Not Found", "statusCode": "404"}))
