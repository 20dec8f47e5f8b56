"""nginx: its header Server, and the foot of its own error pages, which stays where a server in front hides the
header.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, server

SITE = entry(
    "nginx",
    server("nginx"),
    body(r"^<hr><center>nginx(?:/(?P<version>[\w.]{1,20}))?</center>$", failed=True),
    programs=("nginx",),
)
