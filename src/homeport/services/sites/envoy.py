"""Envoy: the header Server, or that of its own time."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header, server

SITE = entry(
    "Envoy", server("envoy|istio-envoy"), header("x-envoy-upstream-service-time", r"^\d{1,9}$"), programs=("envoy",)
)
