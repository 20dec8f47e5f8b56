"""Angular's development server (`ng serve`) since version 17, on Vite: the scripts in its page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Angular development server",
    body(
        r'<script type="module" src="/@vite/client">',
        r'<script src="polyfills\.js" type="module"></script>',
        r'<script src="main\.js" type="module"></script>',
    ),
    programs=("ng", "ng serve*"),
)
