"""MinIO: the header Server, and the page of its console."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, server

SITE = entry("MinIO", server("MinIO(?: Console)?"), body(r"<title>MinIO Console</title>"), programs=("minio",))
