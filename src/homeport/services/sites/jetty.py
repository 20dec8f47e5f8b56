"""Jetty: the header Server, and the foot of its own error pages."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "Jetty",
    header("server", r"^Jetty\((?P<version>[\w.-]{1,40})\)"),
    body(r">Powered by (?:Eclipse )?Jetty:// (?:Server|(?P<version>\d[\w.-]{0,40}))", failed=True),
    programs=("jetty*",),
)
