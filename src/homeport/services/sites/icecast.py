"""Icecast: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Icecast", header("server", r"^Icecast (?P<version>\d[\w.-]{0,20})$"), programs=("icecast2", "icecast"))
