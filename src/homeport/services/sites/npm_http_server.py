"""http-server of npm: the foot of its lists and errors."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "http-server",
    body(
        r'<br><address>Node\.js v[\w.-]{1,20}/ <a href="https://github\.com/(?:http-party|nodeapps)/http-server">'
        r"http-server</a> server running @ "
    ),
    header("server", r"^ecstatic-(?P<version>\d[\w.]{0,20})$"),
    programs=("http-server",),
)
