"""Keycloak: what it tells of its first realm."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields, header

SITE = entry(
    "Keycloak",
    fields({"realm": "master", "token-service": "https?://.+", "account-service": "https?://.+"}, at="/realms/master"),
    programs=("keycloak*", "kc.sh"),
    page_tells_version=False,
    page="/realms/master",
    when=header("location", r"^(?:https?://[\w.:-]{1,100})?/admin/$"),
)
