"""Adminer: its own page, which tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "Adminer",
    body(
        r"<title>[^<\n]{0,200}Adminer</title>",
        r"(?s)id='h1'>Adminer</a> {0,2}<span class=\Wversion\W>(?P<version>\d[\w.-]{0,20})",
    ),
    header("set-cookie", r"^adminer_(?:sid|key)="),
)
