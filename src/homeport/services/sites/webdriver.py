"""Drivers of browsers, which let whoever reaches them steer one: their status.
https://www.w3.org/TR/webdriver2/#status
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "WebDriver",
    fields({"value.ready": "true|false", "value.message": ".*"}, "value.build.version", at="/status"),
    version=body(r'"build": ?\{[^}\n]{0,200}?"version": ?"(?P<version>\d[\w.]{1,30})', at="/status"),
    ports=(4444, 9515),
    programs=("chromedriver", "geckodriver", "msedgedriver", "safaridriver", "selenium*"),
    page="/status",
    facts=(("authentication", "not demanded"),),
)
