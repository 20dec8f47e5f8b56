"""Moto, which stands in for AWS: its development server's name and Amazon's in one answer; its own page."""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, header

SITE = entry(
    "Moto",
    both(header("server", "^Werkzeug/"), header("server", r"^amazon\.com$")),
    body(r"^\s{0,8}<title>Moto</title>", at="/moto-api/"),
    programs=("moto_server",),
    page_tells_version=False,
    page="/moto-api/",
)
