"""Redis and Valkey: `port`, `tls-port`, `include`."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind, lines_after

KIND = Kind(
    name="redis",
    files=("redis*.conf", "valkey*.conf", "sentinel*.conf", "*/redis/*.conf", "*/valkey/*.conf"),
    explicit=(rf"^(?:tls-)?port\s+{NUMBER}",),
    zero=False,  # it means off
    includes=lines_after(r"^\s*include\s+(\S+)"),
)
