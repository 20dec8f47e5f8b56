"""Gitea: its cookie, and what its page says of itself; /api/v1/version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields, header

SITE = entry(
    "Gitea",
    header("set-cookie", r"^i_like_gitea="),
    body(r'<meta name="keywords" content="go,git,self-hosted,gitea">'),
    version=fields({"version": r"\d.*"}, "version", at="/api/v1/version"),
    programs=("gitea*",),
    page="/api/v1/version",
)
