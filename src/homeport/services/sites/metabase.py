"""Metabase: the data in its page, which hold the version, and its cookie."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "Metabase",
    body(r'<script[^>\n]{0,100} id="_metabaseBootstrap"'),
    header("set-cookie", r"^metabase\.[A-Z_]{2,20}="),
    version=body(r'"tag": ?"(?P<version>v\d[\w.-]{0,20})"', r"_metabaseBootstrap"),
)
