"""Zipkin: its page, and /info."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Zipkin",
    fields({"zipkin.version": ".+"}, "zipkin.version", at="/info"),
    body(r"<title>Zipkin</title>", r'<base href="?/zipkin/|src="\.?/(?:zipkin/)?static/js/'),
    ports=(9411,),
    page="/info",
)
