"""The OpenTelemetry Collector: how its receiver refuses a GET, and its health page.
https://github.com/open-telemetry/opentelemetry-collector/tree/main/receiver/otlpreceiver
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "OpenTelemetry Collector",
    body(r"\A405 method not allowed, supported: \[POST\]\s{0,2}\Z", failed=True),
    fields({"status": "Server (?:not )?available", "upSince": ".+", "uptime": ".*"}),
    ports=(4318,),
    programs=("otelcol*",),
    page_tells_version=False,
    page="/v1/traces",
)
