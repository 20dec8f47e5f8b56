"""Netdata: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "Netdata", header("server", r"^Netdata Embedded HTTP Server (?P<version>v?\S{1,40})"), programs=("netdata",)
)
