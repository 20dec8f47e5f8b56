"""Remix: what it gives to the script in its page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry("Remix", body(r"<script[^>\n]{0,100}>window\.__remixContext ?="))
