"""Solr: /solr/admin/info/system. https://solr.apache.org/guide/solr/latest/configuration-guide/system-info-
handler.html
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Solr",
    fields({"lucene.solr-spec-version": ".+"}, "lucene.solr-spec-version", at="/solr/admin/info/system"),
    body(r"<title>Solr Admin</title>", r'\bng-app="solrAdminApp"'),
    ports=(8983,),
    page="/solr/admin/info/system",
    private=("/solr/admin/info/system",),
)
