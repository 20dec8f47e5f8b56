"""Syncthing: headers of its own."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "Syncthing",
    header("x-syncthing-version", r"^(?P<version>v\d\S{0,40})$"),
    header("x-syncthing-id"),
    programs=("syncthing",),
)
