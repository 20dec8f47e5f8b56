"""Symfony with its profiler, as in development: its headers."""

from __future__ import annotations

from homeport.services.sites.signs import both, entry, header

SITE = entry(
    "Symfony", both(header("x-debug-token", "^[0-9a-f]{6}$"), header("x-debug-token-link", r"/_profiler/[0-9a-f]{6}$"))
)
