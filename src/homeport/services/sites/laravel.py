"""Laravel: its cookie, unless the application has a name of its own."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Laravel", header("set-cookie", r"^laravel_session="))
