"""Tomcat: its own error pages (ErrorReportValve), its first page, and the header Server of old versions, whose
number is that of the connector. Spring Boot carries it too.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "Apache Tomcat",
    body(r"<h3>Apache Tomcat(?:/(?P<version>[\w.-]{1,30}))?[^<\n]{0,60}</h3>", failed=True),
    body(
        r"<title>HTTP Status \d{3} ",
        r"(?i)body \{font-family:Tahoma,Arial,sans-serif;\} h1, h2, h3, b \{color:white;background-color:#525D76;\}",
        failed=True,
    ),
    body(r"<title>Apache Tomcat/(?P<version>\d[\w.-]{0,30})</title>", r'<link href="tomcat\.css"'),
    body(r"<title>Apache Tomcat</title>", r"<code>CATALINA_BASE</code>"),
    header("server", r"^Apache-Coyote/"),
    programs=("catalina.sh", "tomcat*"),
)
