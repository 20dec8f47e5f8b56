"""Gradio: the configuration in its page and in /config."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Gradio",
    body(r'window\.gradio_config ?= ?\{"version": ?"(?P<version>[^"]{1,40})"'),
    body(
        r'\A\{"version":"(?P<version>[^"]{1,40})","(?:api_prefix|mode)":"',
        r'"component_class_id":"|"dependencies":\[',
        at="/config",
    ),
    programs=("gradio",),
    page="/config",
    when=body(r'<meta property="og:title" content="Gradio" ?/>'),
)
