"""gunicorn: the header Server, without a version since 20."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("gunicorn", server("gunicorn"), programs=("gunicorn", "gunicorn3", "gunicorn:*"))
