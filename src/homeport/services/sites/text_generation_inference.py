"""Text Generation Inference: /info."""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields

SITE = entry(
    "Text Generation Inference",
    fields({"model_id": ".+", "max_concurrent_requests": r"\d+", "version": ".+"}, "version", at="/info"),
    programs=("text-generation-*",),
    page="/info",
)
