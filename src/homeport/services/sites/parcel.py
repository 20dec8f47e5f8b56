"""Parcel's development server: the three headers that it sets, one of them with a word too many."""

from __future__ import annotations

from homeport.services.sites.signs import both, entry, header

SITE = entry(
    "Parcel",
    both(
        header("access-control-allow-headers", "^Origin, X-Requested-With, Content-Type, Accept, Content-Type$"),
        header("access-control-allow-methods", "^GET, HEAD, PUT, PATCH, POST, DELETE$"),
        header("cache-control", "^max-age=0, must-revalidate$"),
    ),
    programs=("parcel",),
)
