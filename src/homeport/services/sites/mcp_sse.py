"""Servers of the Model Context Protocol over Server-Sent Events (the transport of 2024-11-05): the first event
names where messages go. The stream has no end, so whoever reads it stops after that.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, header, status

SITE = entry(
    "MCP server",
    body(r"\Aevent: ?endpoint\ndata: ?[^\n]{0,200}[?&]session_?[iI]d=(?=[\w-]{8,80}$)", at="/sse"),
    programs=("*mcp*",),
    page_tells_version=False,
    page="/sse",
    when=both(status(404), body(r"\ANot Found\Z"), header("server", "^uvicorn$|^hypercorn")),
    facts=(("transport", "SSE"),),
)
