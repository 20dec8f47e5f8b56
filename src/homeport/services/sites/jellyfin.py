"""Jellyfin: what it says to everybody."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields, header

SITE = entry(
    "Jellyfin",
    fields({"ProductName": "Jellyfin Server", "Version": ".+"}, "Version", at="/System/Info/Public"),
    body(r"<title>Jellyfin</title>", r'content="Jellyfin"|id="jellyfin'),
    ports=(8096,),
    programs=("jellyfin",),
    page="/System/Info/Public",
    when=header("location", r"^(?:/|https?://[\w.:-]{1,100}/)?web/(?:index\.html)?$"),
)
