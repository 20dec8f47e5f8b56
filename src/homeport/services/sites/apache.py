"""Apache httpd: the header Server (ServerTokens), and the foot of its own error pages (ServerSignature)."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, server

SITE = entry(
    "Apache httpd",
    server("Apache"),
    body(
        r"^<address>Apache(?:/(?P<version>[\w.]{1,20}))?(?: [^<\n]{0,100})?"
        r" Server at [^<\n]{1,100} Port \d{1,5}</address>$",
        failed=True,
    ),
    programs=("apache2", "httpd"),
)
