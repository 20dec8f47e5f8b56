"""Microsoft IIS, and the HTTP of Windows (HTTP.sys) that it stands on: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Microsoft IIS", server("Microsoft-IIS"))
