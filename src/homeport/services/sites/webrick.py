"""WEBrick, Ruby's own server: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("WEBrick", header("server", r"\bWEBrick/(?P<version>[\w.]{1,20}) \(Ruby/"))
