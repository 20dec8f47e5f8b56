"""MailHog: its page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "MailHog", body(r"<title>MailHog</title>", r'<html ng-app="mailhogApp"'), programs=("mailhog",), private=("/",)
)
