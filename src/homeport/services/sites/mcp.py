"""Servers of the Model Context Protocol over streamable HTTP: what they answer to a GET without a session, in JSON-
RPC.
https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
Some open a session for the question, which they drop by themselves; so it is asked only where the program, or a
server with nothing at / as the usual libraries answer it, suggests one.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, both, either, entry, fields, header, status

ERROR = {"jsonrpc": r"2\.0", "error.code": r"-32\d{3}"}
REFUSALS = (
    r"Bad Request: (?:Missing session ID|No valid session ID provided|Server not initialized)"
    r"|Bad Request: Mcp-Session-Id header is required"
    r"|Not Acceptable: Client must accept .{0,80}"
    r"|Method not allowed\.?"
)

SITE = entry(
    "MCP server",
    both(header("mcp-session-id"), fields(ERROR)),
    fields({**ERROR, "error.message": REFUSALS}, at="/mcp"),
    programs=("*mcp*",),
    page_tells_version=False,
    page="/mcp",
    when=either(
        both(status(404), body(r"\ANot Found\Z"), header("server", "^uvicorn$|^hypercorn")),
        both(status(404), body(r"^<pre>Cannot GET /</pre>$"), header("x-powered-by", "^Express$")),
    ),
    facts=(("transport", "streamable HTTP"),),
)
