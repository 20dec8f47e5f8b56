"""ASP.NET: its headers."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "ASP.NET",
    header("x-aspnet-version", r"^(?P<version>\d[\d.]{0,20})$"),
    header("x-aspnetmvc-version"),
)
