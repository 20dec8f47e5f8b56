"""Consul: /v1/agent/self, its page, and a header of its own. https://developer.hashicorp.com/consul/api-docs/agent"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields, header

SITE = entry(
    "Consul",
    fields(
        {"Config.Datacenter": ".+", "Config.NodeName": ".+", "Config.Version": ".+"},
        "Config.Version",
        at="/v1/agent/self",
    ),
    header("x-consul-default-acl-policy"),
    body(r"<title>Consul by HashiCorp</title>|<title>Consul</title>", r'name="consul-ui/config/environment"'),
    version=body(r"<!-- CONSUL_VERSION: (?P<version>\d[\w.+-]{0,30}) -->"),
    ports=(8500,),
    programs=("consul",),
    page="/v1/agent/self",
    private=("/v1/agent/self",),
)
