"""Werkzeug, which Flask and its kin are made with: the header Server of its development server, and its own pages
of an error, which stay behind any server.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, server

DEVELOPMENT = server("Werkzeug")

SITE = entry(
    "Werkzeug",
    DEVELOPMENT,
    body(
        r"^<title>404 Not Found</title>$",
        r"^<p>The requested URL was not found on the server\. If you entered the URL manually please check your ",
        failed=True,
    ),
)

SERVER = entry("Werkzeug", DEVELOPMENT)
