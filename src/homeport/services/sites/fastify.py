"""Fastify: its answer where there is no route."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields

SITE = entry("Fastify", fields({"message": "Route GET:/.* not found", "error": "Not Found", "statusCode": "404"}))
