"""llama.cpp's server: the header Server; /props tells the build."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields, server

SITE = entry(
    "llama.cpp server",
    server(r"llama\.cpp"),
    version=fields({"build_info": ".+"}, "build_info", at="/props"),
    page="/props",
    private=("/props",),
)
