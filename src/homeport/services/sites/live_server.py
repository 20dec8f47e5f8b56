"""live-server of npm: the script that it puts into each page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry("live-server", body(r"<!-- Code injected by live-server -->\n<script "), programs=("live-server",))
