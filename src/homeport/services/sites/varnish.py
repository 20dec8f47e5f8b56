"""Varnish: the header Via, or X-Varnish with the numbers of its transactions."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "Varnish",
    header("via", r"\bvarnish\b(?: \(Varnish/(?P<version>[\w.]{1,20})\))?"),
    header("x-varnish", r"^\d{1,12}(?: \d{1,12})?$"),
    programs=("varnishd",),
)
