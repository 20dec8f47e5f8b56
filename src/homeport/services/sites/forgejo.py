"""Forgejo: what its page says of itself. Before Gitea, whose marks it keeps in part."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Forgejo",
    body(r'<meta name="keywords" content="[^"\n]{0,100}\bforgejo\b[^"\n]{0,100}">', r'<meta name="author" content="'),
    version=body(r'href="https://forgejo\.org">[^<\n]{0,40}</a>\s{0,20}Version:\s{0,20}(?P<version>\d[\w.+-]{0,40})'),
    programs=("forgejo*",),
)
