"""LocalStack, which stands in for AWS: its health. https://docs.localstack.cloud/references/internal-endpoints/"""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields

SITE = entry(
    "LocalStack",
    fields({"services": r"\{\}", "edition": ".+", "version": ".+"}, "version", at="/_localstack/health"),
    ports=(4566,),
    programs=("localstack*",),
    page="/_localstack/health",
)
