"""Astro's development server: the scripts that it puts into each page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Astro",
    body(r'<script type="module" src="/@vite/client">', r'src="/@id/astro/runtime/client/|src="/@id/astro:scripts/'),
    version=body(r'<meta name="generator" content="Astro v(?P<version>\d[\w.-]{0,30})"'),
    programs=("astro",),
)
