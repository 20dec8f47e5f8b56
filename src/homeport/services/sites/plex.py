"""Plex Media Server: /identity, and a header of its own."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "Plex Media Server",
    body(
        r'<MediaContainer\b[^>\n]{0,200}\bmachineIdentifier="[0-9a-f]{20,60}"[^>\n]{0,100}\bversion="(?P<version>\d[\w.-]{0,40})"',
        at="/identity",
    ),
    header("x-plex-protocol"),
    ports=(32400,),
    programs=("plex*",),
    page="/identity",
    private=("/",),
)
