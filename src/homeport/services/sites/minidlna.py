"""MiniDLNA (ReadyMedia): the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("MiniDLNA", header("server", r"\bMiniDLNA/(?P<version>\d[\w.]{0,20})"), programs=("minidlnad",))
