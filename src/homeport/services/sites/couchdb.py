"""CouchDB: its first page, and the header Server. https://docs.couchdb.org/en/stable/api/server/common.html"""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields, server

SITE = entry(
    "CouchDB",
    fields({"couchdb": "Welcome", "version": ".+"}, "version"),
    server("CouchDB"),
    programs=("couchdb",),
)
