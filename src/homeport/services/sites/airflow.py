"""Airflow: the health of its parts, and the page where one logs in."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields, header

SITE = entry(
    "Airflow",
    fields({"metadatabase.status": ".+", "scheduler.status": ".*"}),
    body(
        r"<title>(?:Airflow|Sign In - Airflow|Airflow - Login)</title>",
        r"/static/(?:pin_\d+\.png|appbuilder/|dist/)|/static/assets/",
    ),
    programs=("airflow",),
    page_tells_version=False,
    page="/health",
    when=header("location", r"^(?:https?://[\w.:-]{1,100})?/home$"),
    private=("/home",),
)
