"""Locust: the data in its page, which hold the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Locust",
    body(r"<title>Locust</title>", r"window\.templateArgs = \{|window\.authArgs = \{"),
    version=body(r"window\.templateArgs = \{", r'"version": "(?P<version>\d[\w.]{0,20})"'),
    programs=("locust",),
    private=("/",),
)
