"""Verdaccio: the data in its page, which hold the version, and its header."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "Verdaccio",
    header("x-powered-by", r"^verdaccio/(?P<version>\d[\w.-]{0,30})$"),
    body(r"__VERDACCIO_BASENAME_UI_OPTIONS ?= ?\{"),
    version=body(
        r"__VERDACCIO_BASENAME_UI_OPTIONS ?= ?\{",
        r'"version": ?"(?P<version>\d[\w.-]{0,30})","(?:pkgManagers|protocol|logoURI|logo)',
    ),
    programs=("verdaccio",),
)
