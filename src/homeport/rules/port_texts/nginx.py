"""nginx: `listen` (ngx_http_core_module), `include`."""

from __future__ import annotations

from homeport.rules.port_texts.kind import ADDRESS, NUMBER, Kind, lines_after

KIND = Kind(
    name="nginx",
    files=("nginx*.conf", "*/nginx/*", "*/sites-enabled/*", "*/sites-available/*"),
    explicit=(rf"(?:^|[{{;]\s*)listen\s+{ADDRESS}{NUMBER}",),
    zero=False,
    includes=lines_after(r"(?:^|[{;])\s*include\s+([^;]{1,400});"),
)
