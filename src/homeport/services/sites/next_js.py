"""Next.js: headers of its own. It tells no version."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "Next.js",
    header("x-powered-by", r"^Next\.js"),
    header("vary", r"\bnext-router-state-tree\b"),
    header("x-nextjs-cache"),
)
