"""Vite's development server: the script that it puts into each page, and serves itself. It tells no version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Vite",
    body(r'<script type="module"[^>\n]{0,60} src="/(?:[\w.-]{1,40}/){0,4}@vite/client"'),
    body(r"\bHMRContext\b|\[vite\] connect", at="/@vite/client"),
    programs=("vite",),
    page_tells_version=False,
    page="/@vite/client",
)
