"""Neo4j: its first page for who wants no HTML. https://neo4j.com/docs/http-api/current/endpoints/"""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields

SITE = entry("Neo4j", fields({"neo4j_version": ".+", "neo4j_edition": ".+"}, "neo4j_version"))
