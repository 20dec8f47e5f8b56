"""Drupal: its header."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Drupal", header("x-generator", r"^Drupal (?P<version>\d{1,3}) \("))
