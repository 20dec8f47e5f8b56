"""Jupyter Notebook since version 7: the data of its page, for who is logged in."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Jupyter Notebook",
    body(
        r'<script id="jupyter-config-data"',
        r'"appName": ?"Jupyter Notebook"',
        r'"appVersion": ?"(?P<version>[\w.+-]{1,30})"',
    ),
    private=("/lab", "/tree"),
)
