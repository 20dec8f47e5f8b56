"""Tinyproxy: the header Server of its own pages, and Via of others."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header, server

SITE = entry("Tinyproxy", server("tinyproxy"), header("via", r"\(tinyproxy(?:/(?P<version>[\w.-]{1,20}))?\)"))
