"""The inspector of Node.js (`node --inspect`): whoever reaches it runs code in the process."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Node.js inspector",
    fields({"Browser": r"node\.js/v.*"}, at="/json/version"),
    body(r"\AWebSockets request was expected\s{0,4}\Z", failed=True),
    version=body(r'"Browser": ?"node\.js/(?P<version>v[\w.-]{1,40})"', at="/json/version"),
    ports=(9229,),
    page="/json/version",
    facts=(("authentication", "not demanded"),),
)
