"""CUPS: the header Server, and the title of its pages, which tells the version to the last number."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "CUPS",
    header("server", r"\bCUPS/(?P<version>\d[\w.]{0,20}) IPP/"),
    version=body(r"(?i)<title>[^<\n]{1,60} - CUPS v?(?P<version>\d[\w.]{0,20})</title>"),
    programs=("cupsd",),
)
