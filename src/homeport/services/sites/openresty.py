"""OpenResty: nginx with Lua, which names itself in nginx's places."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, server

SITE = entry(
    "OpenResty",
    server("openresty"),
    body(r"^<hr><center>openresty(?:/(?P<version>[\w.]{1,20}))?</center>$", failed=True),
    programs=("openresty",),
)
