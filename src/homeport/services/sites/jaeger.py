"""Jaeger: its page, which holds the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Jaeger",
    body(r"<title>Jaeger UI</title>", r"JAEGER_CONFIG|JAEGER_VERSION"),
    version=body(r'JAEGER_VERSION ?= ?\{[^}\n]{0,300}?"gitVersion": ?"(?P<version>v?\d[\w.-]{0,30})"'),
    ports=(16686,),
    programs=("jaeger*",),
)
