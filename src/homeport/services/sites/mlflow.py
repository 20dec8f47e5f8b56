"""MLflow: its page; /version is of its own."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "MLflow",
    body(r"<title>MLflow</title>", r"\bstatic-files/"),
    version=body(r"\A(?P<version>\d[\w.]{0,30})\s?\Z", at="/version"),
    programs=("mlflow",),
    page="/version",
)
