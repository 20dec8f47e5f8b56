"""MinIO: the header Server, of its API and of its console."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("MinIO", server("MinIO(?: Console)?"), programs=("minio",))
