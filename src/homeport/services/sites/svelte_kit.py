"""SvelteKit: a header of its own, on pages that it renders."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("SvelteKit", header("x-sveltekit-page", "^true$"))
