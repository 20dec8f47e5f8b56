"""phpMyAdmin: its cookie, and its page, which tells the version behind the names of its scripts."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "phpMyAdmin",
    header("set-cookie", r"^phpMyAdmin(?:_https)?="),
    header("set-cookie", r"^pma_lang(?:_https)?="),
    body(r"<title>phpMyAdmin[^<\n]{0,60}</title>", r'href="(?:\./)?themes/pmahomme/'),
    version=body(r"<title>phpMyAdmin", r'src="(?:\./)?js/[\w./-]{1,100}\?v=(?P<version>\d[\w.%+-]{0,30})"'),
)
