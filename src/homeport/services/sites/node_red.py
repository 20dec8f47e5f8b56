"""Node-RED: its page; /settings tells the version to everybody where no login is demanded."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Node-RED",
    body(r"<title>Node-RED</title>", r'src="red/red\.min\.js'),
    fields({"httpNodeRoot": ".+", "version": r"\d.*"}, "version", at="/settings"),
    ports=(1880,),
    programs=("node-red",),
    page="/settings",
    private=("/settings",),
)
