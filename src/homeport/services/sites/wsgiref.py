"""Python's wsgiref, which also carries `manage.py runserver` of Django; the version is that of Python."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Python wsgiref", header("server", r"\bWSGIServer/[\d.]{1,9} (?:C?Python|PyPy)/(?P<version>[\w.+]{1,20})"))
