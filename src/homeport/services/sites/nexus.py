"""Sonatype Nexus: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Sonatype Nexus", header("server", r"^Nexus/(?P<version>\d[\w.-]{0,30})"))
