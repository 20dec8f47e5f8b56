"""The server that is built into PHP (`php -S`): it repeats the header Host in its answers, and has its own error
page.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, header

SITE = entry(
    "PHP built-in server",
    both(header("host"), header("x-powered-by", r"^PHP/(?P<version>[\w.+~-]{1,40})$")),
    body(r'<h1>Not Found</h1><p>The requested resource <code class="url">', failed=True),
)
