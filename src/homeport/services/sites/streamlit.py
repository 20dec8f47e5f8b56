"""Streamlit: its page, whose text names its own addresses; it tells no version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "Streamlit",
    body(r"<title>Streamlit</title>", r"^ Copyright \(c\) (?:Streamlit Inc\.|Snowflake Inc\.)"),
    body(
        r"<title>Streamlit</title>",
        r"You need to enable JavaScript to run this app\.",
        r"window\.prerenderReady = false",
    ),
    header("set-cookie", r"^_streamlit_xsrf="),
    programs=("streamlit",),
)
