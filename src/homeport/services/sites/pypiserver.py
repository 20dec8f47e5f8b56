"""pypiserver: its first page, which tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "pypiserver",
    body(
        r'This instance is running version (?P<version>\d[\w.]{0,20}) of the <a href="https://[^"<>]{1,80}/project/pypiserver/">'
    ),
    programs=("pypi-server",),
)
