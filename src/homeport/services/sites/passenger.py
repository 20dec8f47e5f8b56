"""Phusion Passenger: the headers Server and X-Powered-By."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "Phusion Passenger",
    header("x-powered-by", r"\bPhusion Passenger(?:\(R\))? ?(?:Enterprise ?)?(?P<version>\d[\w.]{0,20})?"),
    header("server", r"\bPhusion Passenger(?:\(R\))?[ /]?(?P<version>\d[\w.]{0,20})?"),
)
