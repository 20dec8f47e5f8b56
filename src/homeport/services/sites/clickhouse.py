"""ClickHouse: "Ok." on its first page (http_server_default_response), and /play, which is its own; the version
would take a query, and so a login.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "ClickHouse",
    body(r"<title>ClickHouse Query</title>", at="/play"),
    header("x-clickhouse-server-display-name"),
    header("x-clickhouse-exception-code"),
    body(r"\APort \d{1,5} is for clickhouse-client program", failed=True),
    ports=(8123,),
    programs=("clickhouse*",),
    page_tells_version=False,
    page="/play",
    when=body(r"\AOk\.\n\Z"),
)
