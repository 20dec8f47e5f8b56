"""Datasette: the foot of its pages, which tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Datasette",
    body(r'Powered by <a href="https://datasette\.io/" title="Datasette v(?P<version>\d[\w.]{0,20})">Datasette</a>'),
    programs=("datasette",),
    private=("/",),
)
