"""Nomad: /v1/agent/self, and its page. https://developer.hashicorp.com/nomad/api-docs/agent"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Nomad",
    fields({"config.Datacenter": ".+", "config.Version.Version": ".+"}, "config.Version.Version", at="/v1/agent/self"),
    body(r"<title>Nomad</title>", r'name="nomad-ui/config/environment"'),
    ports=(4646,),
    programs=("nomad",),
    page="/v1/agent/self",
    private=("/v1/agent/self",),
)
