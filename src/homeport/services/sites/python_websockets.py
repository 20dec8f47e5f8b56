"""The library websockets of Python: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("websockets", header("server", r"\bPython/\S{1,20} websockets/(?P<version>[\w.]{1,20})"))
