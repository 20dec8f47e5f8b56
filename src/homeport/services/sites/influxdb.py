"""InfluxDB: headers of its own."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "InfluxDB",
    header("x-influxdb-version", r"^(?P<version>v?\d\S{0,40})$"),
    header("x-influxdb-build"),
    programs=("influxd", "influxdb3"),
)
