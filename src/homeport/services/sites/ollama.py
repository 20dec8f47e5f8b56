"""Ollama: its first page; /api/version. https://docs.ollama.com/api"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Ollama",
    body(r"\AOllama is running\Z"),
    version=fields({"version": r"\d.*"}, "version", at="/api/version"),
    page="/api/version",
)
