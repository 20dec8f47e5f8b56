"""qBittorrent: the page where one logs in."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "qBittorrent",
    body(r"<title>qBittorrent (?:Web UI|WebUI)</title>", r'<form id="loginform"|css/login\.css\?v='),
    body(r"<title>qBittorrent v(?P<version>\d[\w.]{0,20}) (?:Web UI|WebUI)</title>"),
    programs=("qbittorrent*",),
)
