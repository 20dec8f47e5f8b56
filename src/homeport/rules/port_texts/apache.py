"""Apache httpd: `Listen` (mod_mpm_common), `Include`."""

from __future__ import annotations

from homeport.rules.port_texts.kind import ADDRESS, NUMBER, Kind, lines_after

KIND = Kind(
    name="apache",
    files=("apache2.conf", "httpd.conf", "ports.conf", "*/apache2/*", "*/httpd/*"),
    explicit=(rf"^Listen\s+{ADDRESS}{NUMBER}",),
    includes=lines_after(r"^\s*Include(?:Optional)?\s+(\S+)"),
)
