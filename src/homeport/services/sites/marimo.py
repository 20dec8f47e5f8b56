"""marimo: the version in its page, and the page where one logs in."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "marimo",
    body(r'<marimo-version data-version="(?P<version>\d[\w.-]{0,30})"'),
    body(
        r"<title>marimo</title>",
        r'<form method="POST" action="[^"\n]{0,60}/auth/login"',
        r">Access Token / Password</label>",
    ),
    programs=("marimo",),
    private=("/",),
)
