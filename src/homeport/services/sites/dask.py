"""Dask: the dashboard of a scheduler or worker."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Dask",
    body(
        r"<title>Dask Diagnostic UI</title>|<title>Dask: [^<\n]{1,60}</title>",
        r"\bbokeh(?:-\d[\w.]{0,20})?\.min\.js|statics/images/favicon\.ico",
    ),
    fields({"type": "Scheduler", "id": "Scheduler-.*", "address": ".*", "workers": r"\{\}"}, at="/json/identity.json"),
    programs=("dask", "dask-*"),
    page_tells_version=False,
    page="/json/identity.json",
)
