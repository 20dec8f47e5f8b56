"""Hypercorn: the header Server names the protocol ("hypercorn-h11"), not the version."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Hypercorn", server(r"hypercorn(?:-h\w{1,3})?"), programs=("hypercorn",))
