"""Vault and OpenBao: /v1/sys/health. https://developer.hashicorp.com/vault/api-docs/system/health"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Vault",
    fields(
        {"initialized": "true|false", "sealed": "true|false", "standby": "true|false", "version": ".+"},
        "version",
        at="/v1/sys/health",
    ),
    body(r"<title>Vault</title>", r'name="vault/config/environment"'),
    ports=(8200,),
    programs=("vault", "bao"),
    page="/v1/sys/health",
)
