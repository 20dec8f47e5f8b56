"""Remote debugging of Chrome and its kin: whoever reaches it steers the browser.
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, fields, header, status

SITE = entry(
    "Chrome DevTools",
    fields(
        {"Browser": "(?!node).+/.+", "Protocol-Version": r"\d.*", "webSocketDebuggerUrl": "wss?://.*"},
        at="/json/version",
    ),
    version=body(r'"Browser": ?"(?:\w{1,30}/)(?P<version>\d[\w.-]{1,40})"', at="/json/version"),
    ports=(9222,),
    programs=("chrome", "chromium*", "google-chrome*", "msedge", "headless_shell", "chrome-headless-*"),
    page="/json/version",
    when=both(status(200), header("x-frame-options", "^DENY$"), header("content-length", "^0$")),
    facts=(("authentication", "not demanded"),),
)
