"""Voila, which shows a notebook and is built of Jupyter Server: its own script."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry("Voila", body(r"^ {0,8}<!-- voila log js -->$"), programs=("voila",))
