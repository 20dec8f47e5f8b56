"""Python's own http.server, of `python -m http.server` and of programs made with it; the version is that of Python."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Python http.server", header("server", r"(?:Simple|Base)HTTP/[\d.]{1,9} Python/(?P<version>[\w.+]{1,20})"))
