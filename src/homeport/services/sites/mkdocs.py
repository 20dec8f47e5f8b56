"""MkDocs, `mkdocs serve`: the script that it puts into each page, and its comment, which tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "MkDocs",
    body(r'req\.open\("GET", "/livereload/" \+ epoch \+ "/" \+ requestId\);'),
    version=body(r"^MkDocs version : (?P<version>\d[\w.]{0,20})$"),
    programs=("mkdocs",),
)
