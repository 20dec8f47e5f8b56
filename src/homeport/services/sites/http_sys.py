"""The HTTP of Windows (HTTP.sys), for programs that have no server of their own: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Microsoft HTTPAPI", server("Microsoft-HTTPAPI"))
