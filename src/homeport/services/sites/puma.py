"""Puma: no header; its own error page, which with a trace tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Puma",
    body(r"\APuma caught this error: ", failed=True),
    version=body(r"/gems/puma-(?P<version>[\d.]{1,20})/lib/puma/", failed=True),
    programs=("puma", "puma *"),
)
