"""Cheroot, the server of CherryPy: the header Server of either."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header, server

SITE = entry("Cheroot", server("Cheroot"), header("server", r"^CherryPy/(?:\d[\w.]{0,20})"))
