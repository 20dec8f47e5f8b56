"""Privoxy: how it refuses what was not meant for a proxy."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry("Privoxy", body(r"\AInvalid header received from client\.\s{0,4}\Z", failed=True), programs=("privoxy",))
