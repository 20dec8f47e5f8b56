"""WordPress: the link to its API, in a header of each page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "WordPress",
    header("link", r'rel="https://api\.w\.org/"'),
    version=body(r'<meta name="generator" content="WordPress (?P<version>\d[\w.-]{0,20})"'),
)
