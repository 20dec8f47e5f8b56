"""pgAdmin: its cookies."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "pgAdmin",
    header("set-cookie", r"^(?:pga4_session|PGADMIN_LANGUAGE|pga4_language)="),
    programs=("pgadmin4*",),
    private=("/", "/browser/"),
)
