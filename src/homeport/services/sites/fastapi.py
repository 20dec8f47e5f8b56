"""FastAPI: its own page of the API. An answer {"detail":"Not Found"} is only a reason to look there."""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, header

SITE = entry(
    "FastAPI",
    body(r'<link rel="shortcut icon" href="https://fastapi\.tiangolo\.com/img/favicon\.png">', r"SwaggerUIBundle\("),
    page_tells_version=False,
    page="/docs",
    when=both(header("server", r"^(?:uvicorn|hypercorn|granian|daphne)"), header("content-type", "^application/json")),
)
