"""HAProxy: it adds no header; its own error pages (src/http.c) and its statistics say what it is."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

MESSAGES = (
    "Your browser sent an invalid request",
    "Request forbidden by administrative rules",
    "Your browser didn't send a complete request in time",
    "An internal server error occurred",
    "The server returned an invalid or incomplete response",
    "No server is available to handle this request",
    "The server didn't respond in time",
)

SITE = entry(
    "HAProxy",
    body(
        rf"\A<html><body><h1>\d{{3}} [^<\n]{{1,60}}</h1>\n(?:{'|'.join(MESSAGES)})\.\n</body></html>\s{{0,9}}\Z",
        failed=True,
    ),
    body(r"<title>Statistics Report for HAProxy", r">HAProxy version (?P<version>[\w.+~-]{1,40}), released "),
    header("www-authenticate", r'realm="HAProxy Statistics"'),
    programs=("haproxy",),
)
