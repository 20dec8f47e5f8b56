"""Spring Boot: its answer of an error, as a page or as JSON, and its Actuator.
https://docs.spring.io/spring-boot/reference/web/servlet.html#web.servlet.spring-mvc.error-handling
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Spring Boot",
    body(
        r"<h1>Whitelabel Error Page</h1>",
        r"This application has no (?:explicit mapping for /error|configured error view)",
    ),
    fields(
        {
            "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.{0,12}",
            "status": r"[45]\d\d",
            "error": r"[A-Z][\w -]{2,40}",
            "path": "/.*",
        }
    ),
    fields({"_links.self.href": "https?://[^ ]{1,200}/actuator", "_links.self.templated": "false"}, at="/actuator"),
    programs=("*.jar",),
    page_tells_version=False,
    page="/actuator",
)
