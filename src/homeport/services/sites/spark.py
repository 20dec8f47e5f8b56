"""The page of an application of Apache Spark, or of its master and workers."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Apache Spark",
    body(r"<title>[^<\n]{1,200}</title>", r'\bsrc="[\w./-]{0,60}/static/spark-logo-\d{1,3}x\d{1,3}px-hd\.png"'),
    version=body(r'<span class="version"[^>\n]{0,60}>(?P<version>\d[\w.-]{0,30})</span>', r"/static/spark-logo-"),
)
