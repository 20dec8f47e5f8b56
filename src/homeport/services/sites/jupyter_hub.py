"""JupyterHub: a header of its own."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("JupyterHub", header("x-jupyterhub-version", r"^(?P<version>\d[\w.+-]{0,30})$"), programs=("jupyterhub",))
