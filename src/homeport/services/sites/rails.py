"""Ruby on Rails: its page for a new application, its page of an error, and the two headers that only its stack sets
together.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, header

SITE = entry(
    "Ruby on Rails",
    body(r"<title>Ruby on Rails(?: \d[\w.]{0,20})?</title>", r'href="https://rubyonrails\.org"|>Rails version:<'),
    body(r"<title>Action Controller: Exception caught</title>", failed=True),
    both(
        header("x-runtime", r"^\d{1,6}\.\d{4,9}$"),
        header("x-request-id", r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
    ),
    version=body(r">Rails version:(?:</strong>|</b>)?\s{0,20}(?P<version>\d[\w.]{0,20})"),
)
