"""Hugo's development server: the script that it puts into each page, with its own arguments."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Hugo server",
    body(r'<script src="/livereload\.js\?mindelay=\d{1,4}(?:&amp;|&)v=\d'),
    version=body(r'<meta name="?generator"? content="Hugo (?P<version>\d[\w.+-]{0,30})"'),
    programs=("hugo",),
)
