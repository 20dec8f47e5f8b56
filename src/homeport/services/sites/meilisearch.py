"""Meilisearch: its first page; /version, for who has a key."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields

SITE = entry(
    "Meilisearch",
    fields({"status": "Meilisearch is running"}),
    fields({"pkgVersion": r"\d.*", "commitSha": ".*", "commitDate": ".*"}, "pkgVersion", at="/version"),
    ports=(7700,),
    programs=("meilisearch",),
    page="/version",
    private=("/version",),
)
