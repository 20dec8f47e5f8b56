"""mini_httpd: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("mini_httpd", server("mini_httpd"), programs=("mini_httpd",))
