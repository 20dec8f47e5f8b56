"""Apollo Server: how it refuses a GET that may be forged.
https://www.apollographql.com/docs/apollo-server/security/cors#preventing-cross-site-request-forgery-csrf
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Apollo Server",
    body(
        r'\A\{"errors":\[\{"message":"This operation has been blocked as a potential Cross-Site Request Forgery \(CSRF',
        failed=True,
    ),
    body(r"apollo-server-landing-page\.cdn\.apollographql\.com"),
)
