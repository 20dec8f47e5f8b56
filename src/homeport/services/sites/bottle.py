"""Bottle: its own page of an error."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Bottle",
    body(
        r"<title>Error: \d{3} [^<\n]{1,60}</title>",
        r"^ {0,20}<p>Sorry, the requested URL <tt>[^<\n]{0,400}</tt>\n {0,20}caused an error:</p>$",
        failed=True,
    ),
)
